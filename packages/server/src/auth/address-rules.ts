/** Who may come from where: deny lists win, an empty allow list allows everybody. */
import { NetworkSet } from "@sluice/runtime/sockets/network-set";

export type AddressRule = {
  /** Networks such as `10.0.0.0/8`; as the configuration validated them. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
};

export class AddressRules {
  readonly #allow: NetworkSet;
  readonly #deny: NetworkSet;
  /** No address is refused. */
  readonly isOpen: boolean;

  constructor(rule: AddressRule) {
    this.#allow = new NetworkSet(rule.allow);
    this.#deny = new NetworkSet(rule.deny);
    this.isOpen = this.#allow.isEmpty && this.#deny.isEmpty;
  }

  admits(address: string): boolean {
    if (this.isOpen) return true;
    return !this.#deny.has(address) && (this.#allow.isEmpty || this.#allow.has(address));
  }
}
