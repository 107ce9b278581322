/** The process that `findDamage` starts: says on standard output what is wrong, and with its exit code whether anything is. */
import { EXIT, readAll } from "./store-check.ts";

try {
  await readAll(process.argv[2] as string, process.argv[3] as string);
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error));
  // What the system refuses says nothing of what is in the file.
  const isSystem = (error as NodeJS.ErrnoException).syscall !== undefined;
  process.exitCode = isSystem ? EXIT.unreadable : EXIT.damaged;
}
