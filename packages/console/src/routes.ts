// The pages of the console and their addresses behind the hash.
import { useEffect, useMemo, useState } from "preact/hooks";

export type Route =
  | { readonly at: "streams" }
  | { readonly at: "stream"; readonly key: string }
  | { readonly at: "objects" }
  | { readonly at: "object"; readonly path: string }
  | { readonly at: "sessions" }
  | { readonly at: "cluster" }
  | { readonly at: "activity" };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, "");
  if (path === "objects" || path === "sessions" || path === "cluster" || path === "activity") return { at: path };
  const object = path.startsWith("objects/") ? decodeKey(path.slice("objects/".length)) : "";
  if (object !== "") return { at: "object", path: object };
  const key = path.startsWith("streams/") ? decodeKey(path.slice("streams/".length)) : "";
  return key ? { at: "stream", key } : { at: "streams" };
}

export function formatRoute(route: Route): string {
  switch (route.at) {
    case "streams":
      return "#/";
    case "stream":
      return `#/streams/${encodeKey(route.key)}`;
    case "object":
      return `#/objects/${encodeKey(route.path)}`;
    case "objects":
    case "sessions":
    case "cluster":
    case "activity":
      return `#/${route.at}`;
  }
}

function encodeKey(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decodeKey(path: string): string {
  try {
    return path.split("/").map(decodeURIComponent).join("/");
  } catch {
    return ""; // a broken escape: no such page, so the list
  }
}

/** The page in the address bar, updated when the hash changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return useMemo(() => parseRoute(hash), [hash]);
}
