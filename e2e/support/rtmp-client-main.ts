/**
 * The npm package rtmp-client on one shared object: `node rtmp-client-main.ts rtmp://host:port/app name`. Standard input
 * has a JSON array `[property, value]` a line; standard output a JSON line `{"event":"sync","copy":{…}}` after each
 * change, and `{"event":"status","code":…}`. In a process of its own, since it knows each name once for a process.
 */
import { createInterface } from "node:readline";

interface RemoteObject {
  onSync: () => void;
  onStatus: (info: { readonly code: string }) => void;
  getPropertyNames(): string[] | null;
  getProperty(name: string): unknown;
  setProperty(name: string, value: unknown): void;
}

interface RtmpClient {
  readonly NetConnection: new () => { onStatus: (info: { readonly code: string }) => void; connect(url: string): void };
  readonly SharedObject: { get(name: string, persistence: boolean, connection: object): RemoteObject };
}

const [url = "", name = ""] = process.argv.slice(2);
const { NetConnection, SharedObject } = (await import("rtmp-client" as string)) as RtmpClient;

const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const connection = new NetConnection();
connection.onStatus = ({ code }) => {
  tell({ event: "status", code });
  if (code === "NetConnection.Connect.Success") open();
};
connection.connect(url);

function open(): void {
  const object = SharedObject.get(name, false, connection);
  const copy = (): object =>
    Object.fromEntries((object.getPropertyNames() ?? []).map((one) => [one, object.getProperty(one)]));
  object.onSync = () => tell({ event: "sync", copy: copy() });
  object.onStatus = ({ code }) => tell({ event: "status", code });
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [property, value] = JSON.parse(line) as [string, unknown];
    object.setProperty(property, value);
  });
}
