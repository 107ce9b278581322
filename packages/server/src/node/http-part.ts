/** The HTTP and HTTPS listeners: streams and admin side on one port. */
import type { RequestListener, Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Scope } from "@sluice/base/scope";
import { derived } from "@sluice/base/derived";
import { CorsRules } from "../http/cors.ts";
import { HttpFlv } from "../http/http-flv.ts";
import { createHttpFront } from "../http/http-front.ts";
import { acceptFailures } from "@sluice/runtime/sockets/accept-failures";
import { listen } from "@sluice/runtime/sockets/listen";
import type { TlsCertificate } from "@sluice/runtime/sockets/tls-certificate";
import { PageRules } from "../http/page-rules.ts";
import type { RtmpSessions } from "../rtmp/rtmp-sessions.ts";
import { WebSocketFront } from "../http/web-socket-front.ts";
import type { SluiceSessions } from "../ws/sluice-sessions.ts";
import { closeListener } from "./close-listener.ts";
import type { NodePart } from "./node-part.ts";

export async function openHttp(options: {
  readonly node: NodePart;
  readonly rtmp: RtmpSessions;
  readonly sluice: SluiceSessions;
  readonly admin: RequestListener;
  readonly tls: TlsCertificate | undefined;
  readonly scope: Scope;
}): Promise<void> {
  const { node, rtmp, sluice, admin, tls, scope } = options;
  const { config, ports, limiter, strangers, log } = node;
  const { limits } = config;
  const cors = derived(
    () => config.http,
    (http) => new CorsRules(http.cors.origins),
  );
  const pages = derived(
    () => config.http,
    (http) =>
      new PageRules({
        cors: cors(),
        publishOrigins: http.publish.origins,
        ownNames: config.node.public.http === undefined ? [] : [config.node.public.http],
      }),
  );
  const front = {
    flv: new HttpFlv({ ports, cors }),
    webSockets: new WebSocketFront({ ports, rtmp, sluice, pages, log, messageBytes: limits.messageBytes }),
    admin,
    limiter,
    strangers,
    meter: node.meter,
    headerBytes: limits.requestHeaderBytes,
    handshakeTimeout: limits.handshakeTimeout,
  };
  const open = async (name: "http" | "https", server: Server, port: number): Promise<void> => {
    const bound = await listen(server, {
      listener: name,
      host: config.listen.host,
      port,
      failed: acceptFailures(node, name),
    });
    node.addListener(name, bound, name === "http" ? config.node.public.http : undefined);
    scope.defer(() => closeListener(server));
  };
  if (config.http.port !== "off") await open("http", createHttpFront(front), config.http.port);
  if (config.https.port === "off" || tls === undefined) return;
  const server = createHttpFront({ ...front, tls: tls.pair });
  tls.attach(server as TlsServer);
  await open("https", server, config.https.port);
}
