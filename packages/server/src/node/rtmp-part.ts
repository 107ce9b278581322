/** The RTMP and RTMPS listeners. */
import type { Server, Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { Scope } from "@sluice/base/scope";
import { DEFAULT_RTMP_LIMITS } from "@sluice/rtmp/limits";
import { captureConnection } from "../sessions/connection-capture.ts";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { acceptFailures } from "@sluice/runtime/sockets/accept-failures";
import { listen } from "@sluice/runtime/sockets/listen";
import { createRtmpListener } from "../rtmp/rtmp-listener.ts";
import type { TlsCertificate } from "@sluice/runtime/sockets/tls-certificate";
import { ObjectForms } from "../rtmp/rtmp-object-events.ts";
import { RtmpSessions } from "../rtmp/rtmp-sessions.ts";
import type { NodePart } from "./node-part.ts";
import { closeListener } from "./close-listener.ts";

export async function openRtmp({
  node,
  tls,
  scope,
}: {
  readonly node: NodePart;
  readonly tls: TlsCertificate | undefined;
  readonly scope: Scope;
}): Promise<RtmpSessions> {
  const { config, ports, limiter, strangers, log, meter } = node;
  const { rtmp, rtmps, listen: where, limits } = config;
  const sessions = new RtmpSessions({
    ports,
    crypto: NODE_CRYPTO,
    limits: { ...DEFAULT_RTMP_LIMITS, messageBytes: limits.messageBytes },
    chunkSize: rtmp.chunkSize,
    windowAckSize: rtmp.windowAckSize,
    objectForms: new ObjectForms(),
    get legacyFourCc() {
      return config.play.legacyFourCc;
    },
    get pingInterval() {
      return config.rtmp.pingInterval;
    },
    get allowsRtmpRedirect() {
      return config.redirect.rtmp302;
    },
  });
  const open = async (name: "rtmp" | "rtmps", server: Server, port: number): Promise<void> => {
    const bound = await listen(server, { listener: name, host: where.host, port, failed: acceptFailures(node, name) });
    node.addListener(name, bound, name === "rtmp" ? config.node.public.rtmp : undefined);
    node.draining.addEventListener("abort", () => void server.close(), { once: true });
    scope.defer(() => closeListener(server));
  };
  const shared = { sessions, limiter, strangers, log, meter, ...captureOf(node) };
  if (rtmp.port !== "off") await open("rtmp", createRtmpListener({ ...shared, protocol: "rtmp" }), rtmp.port);
  if (rtmps.port !== "off" && tls !== undefined) {
    const options = tls.pair;
    const server = createRtmpListener({ ...shared, protocol: "rtmps", tls: options });
    tls.attach(server as TlsServer);
    await open("rtmps", server, rtmps.port);
  }
  return sessions;
}

function captureOf({ config, clock }: NodePart): { readonly capture?: (socket: Socket) => void } {
  const { dir } = config.capture;
  return dir === "off" ? {} : { capture: (socket) => captureConnection(socket, { dir, protocol: "rtmp", clock }) };
}
