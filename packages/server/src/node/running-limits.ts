/** Limits read from the present configuration at each use. */
import type { SluiceConfig } from "../config/load-config.ts";
import type { StrangerLimits } from "@sluice/runtime/sockets/strangers";
import { CROWDED_PEER_BYTES, type OutputLimits, OVERDRAFT_BYTES } from "../sessions/limits.ts";

export function strangerLimits(config: SluiceConfig): StrangerLimits {
  return {
    get strangers() {
      return config.limits.handshakes;
    },
    get strangersPerAddress() {
      return config.limits.handshakesPerAddress;
    },
    handshake: config.limits.handshakeTimeout,
    get exempt() {
      return config.limits.exempt;
    },
  };
}

export function outputLimits(config: SluiceConfig): OutputLimits {
  return {
    get peerBytes() {
      return config.limits.outputPerConnection;
    },
    overdraftBytes: OVERDRAFT_BYTES,
    crowdedPeerBytes: CROWDED_PEER_BYTES,
    get totalBytes() {
      return config.limits.outputTotal;
    },
    get sharedAge() {
      return config.delivery.lag.maxAge;
    },
    get stallTimeout() {
      return config.delivery.lag.stallTimeout;
    },
  };
}
