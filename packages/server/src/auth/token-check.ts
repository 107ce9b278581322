/** Checks what a client shows of itself, without asking anybody: a JSON Web Token or a signed URL. */
import type { Clock } from "@sluice/base/clock";
import type { SluiceConfig } from "../config/load-config.ts";
import { type AccessRequest, denied, type Verdict } from "./access.ts";
import { bearerOf } from "./credentials.ts";
import { JwtCheck } from "./jwt-check.ts";
import { checkSignedUrl } from "./signed-url.ts";

export type WayIn = "open" | "jwt" | "signed" | "hook";

export class TokenCheck {
  readonly #jwt: JwtCheck;
  readonly #signedSecret: string | undefined;
  readonly #clock: Clock;

  constructor({ auth, secrets }: Pick<SluiceConfig, "auth" | "secrets">, clock: Clock) {
    const { issuer, audience } = auth.jwt;
    this.#jwt = new JwtCheck({
      secret: secrets.jwtSecret,
      publicKey: secrets.jwtPublicKey,
      keySet: secrets.jwtKeySet,
      issuer,
      audience,
    });
    this.#signedSecret = secrets.signedSecret;
    this.#clock = clock;
  }

  /** One of `ways` must hold; `open` and `hook` are not looked at here. */
  async check(
    request: AccessRequest & { readonly action: "publish" | "play" },
    ways: readonly WayIn[],
  ): Promise<Verdict> {
    const { action, key, credentials } = request;
    const { query, authorization } = credentials;
    let verdict: Verdict = denied("token-missing", `This stream needs a token to ${action}`);
    const token = query.get("token") || bearerOf(authorization);
    if (ways.includes("jwt") && token)
      verdict = await this.#jwt.check(token, { action, key }, new Date(this.#clock.wall()));
    if (!verdict.allow && ways.includes("signed") && this.#signedSecret !== undefined && query.has("sign")) {
      verdict = checkSignedUrl(this.#signedSecret, { action, key }, query, Math.floor(this.#clock.wall() / 1_000));
    }
    return verdict;
  }
}
