/** The one certificate that RTMPS and HTTPS share, kept up to date while they run. */
import type { Scope } from "@sluice/base/scope";
import type { LiveConfig } from "../config/live-config.ts";
import { TlsCertificate } from "@sluice/runtime/sockets/tls-certificate";
import type { NodePart } from "./node-part.ts";

/** @returns `undefined` if no listener needs one */
export function openTls(options: {
  readonly node: NodePart;
  readonly settings: LiveConfig;
  readonly scope: Scope;
}): TlsCertificate | undefined {
  const { node, settings, scope } = options;
  const { config, clock, log } = node;
  if (config.rtmps.port === "off" && config.https.port === "off") return undefined;
  const pairNow = () => ({ cert: config.secrets.tlsCert ?? "", key: config.secrets.tlsKey ?? "" });
  const filesNow = () => {
    const { cert, key } = config.tls;
    return cert === undefined || key === undefined ? undefined : { cert, key };
  };
  const certificate = scope.use(new TlsCertificate({ pair: pairNow(), files: filesNow, clock, log }));
  scope.use(
    settings.onChange(() => {
      const problems = certificate.use(pairNow());
      if (problems.length > 0) log.error({ problems }, "TLS files cannot be used: the certificate in use stays");
    }),
  );
  return certificate;
}
