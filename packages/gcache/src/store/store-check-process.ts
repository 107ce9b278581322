/** The child process of `findDamage`: prints what is damaged, and reports it by its exit code. */
import { EXIT, readAll } from "./store-check.ts";

try {
  await readAll(process.argv[2] as string, process.argv[3] as string);
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error));
  // An error of the system says nothing about the content of the file.
  const isSystem = (error as NodeJS.ErrnoException).syscall !== undefined;
  process.exitCode = isSystem ? EXIT.unreadable : EXIT.damaged;
}
