/** Checks that every import of a package is declared in its manifest and allowed by the table, and every declared one is used. */
import { isBuiltin } from "node:module";
import { type Finding, refused } from "./finding.ts";
import type { HouseTable, ImportRow } from "./import-table.ts";
import type { Room, SourceFile, Tree } from "./tree.ts";

const OURS = "@sluice/";

export function checkImports(tree: Tree, table: HouseTable): Finding[] {
  return tree.rooms.flatMap((room) => {
    const row = table.imports[room.name];
    if (row === undefined)
      return [refused(`packages/${room.name}`, "is not in the import table: which floor is it on?")];
    return [
      ...room.src.flatMap((file) => checkSource(room, row, file)),
      ...room.tests.flatMap((file) => checkTest(room, [...row, ...table.testsMayImport], file)),
      ...checkDeclared(room),
      ...checkReferences(room),
    ];
  });
}

function checkSource(room: Room, row: ImportRow, file: SourceFile): Finding[] {
  return file.imports.flatMap((specifier) => {
    if (specifier.startsWith(".")) return checkRelative(room, file, specifier);
    if (isBuiltin(specifier)) return [];
    const name = packageOf(specifier);
    if (name === OURS + room.name) return [refused(file.path, `imports its own package by name: ${specifier}`)];
    const findings: Finding[] = [];
    if (name.startsWith(OURS) && !allows(row, specifier)) findings.push(forbidden(room, file, specifier));
    if (room.manifest.dependencies?.[name] === undefined) {
      findings.push(refused(file.path, `imports ${name}, which package.json does not declare`));
    }
    return findings;
  });
}

function checkTest(room: Room, row: ImportRow, file: SourceFile): Finding[] {
  return file.imports.flatMap((specifier) => {
    if (!specifier.startsWith(OURS) || packageOf(specifier) === OURS + room.name || allows(row, specifier)) return [];
    return [forbidden(room, file, specifier)];
  });
}

/** A relative import that leaves the package bypasses its manifest; one that leaves `src` bypasses the build. */
function checkRelative(room: Room, file: SourceFile, specifier: string): Finding[] {
  const target = new URL(specifier, `file:///${file.path}`).pathname.slice(1);
  if (target.startsWith(`packages/${room.name}/src/`)) return [];
  return [refused(file.path, `imports ${specifier}, which is outside the sources of ${room.name}`)];
}

function forbidden(room: Room, file: SourceFile, specifier: string): Finding {
  return refused(file.path, `${room.name} may not import ${specifier}`);
}

function allows(row: ImportRow, specifier: string): boolean {
  const wanted = specifier.slice(OURS.length);
  return row.some((allowed) => wanted === allowed || wanted.startsWith(`${allowed}/`));
}

function checkDeclared(room: Room): Finding[] {
  return Object.keys(room.manifest.dependencies ?? {}).flatMap((name) => {
    const isNamed = room.src.some((file) => file.text.includes(`"${name}"`) || file.text.includes(`"${name}/`));
    return isNamed ? [] : [refused(`packages/${room.name}/package.json`, `declares ${name}, which no source uses`)];
  });
}

function checkReferences(room: Room): Finding[] {
  const where = `packages/${room.name}/tsconfig.json`;
  const declared = Object.keys(room.manifest.dependencies ?? {}).filter((name) => name.startsWith(OURS));
  const wanted = declared.map((name) => `../${name.slice(OURS.length)}`);
  return [
    ...wanted
      .filter((path) => !room.references.includes(path))
      .map((path) => refused(where, `does not refer to ${path}`)),
    ...room.references
      .filter((path) => !wanted.includes(path))
      .map((path) => refused(where, `refers to ${path} without using it`)),
  ];
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] as string);
}
