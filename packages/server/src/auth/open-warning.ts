/** What a fresh node says at start, so that nobody leaves it open without knowing. */

/** `undefined` when nothing is open. */
export function openWarning({
  publish,
  play,
}: {
  readonly publish: boolean;
  readonly play: boolean;
}): string | undefined {
  if (!publish && !play) return undefined;
  const what = publish && play ? "publish and play" : publish ? "publish" : "play";
  const keys = [publish ? "auth.publish" : "", play ? "auth.play" : ""].filter(Boolean).join(" and ");
  return `Anybody who reaches this node may ${what}. To close it set ${keys} to jwt, signed or hook (docs/guide/guarding.md)`;
}
