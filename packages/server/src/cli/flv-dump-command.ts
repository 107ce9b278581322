/** `sluice flv-dump`: hands its words to the tool, which has its own exit codes. */

export async function flvDumpCommand(file: string, { json }: { readonly json?: true }): Promise<void> {
  const { flvDump } = await import("./flv-dump.ts");
  process.exitCode = await flvDump(json ? ["--json", file] : [file]);
}
