// Where else the ball can be seen: links to other nodes, and what to run for one more.
import type { BallAbout } from "@sluice/client/contract/ball";
import { copyText } from "../ui/copy-text.ts";

export class SecondNode {
  readonly #part: HTMLElement;
  /** What is shown, so that a text is not redrawn under a selection. */
  #shown = "";

  constructor(part: HTMLElement) {
    this.#part = part;
  }

  show({ others, commands }: BallAbout): void {
    const now = JSON.stringify([others, commands]);
    if (now === this.#shown) return;
    this.#shown = now;
    this.#part.hidden = commands === null;
    this.#part.querySelector("#others")?.replaceChildren(...others.map(linkTo));
    this.#part.querySelector("#commands")?.replaceChildren(...(commands ?? []).map(commandField));
    const there = this.#part.querySelector("#there");
    if (there) there.textContent = hint(others.length, commands?.length ?? 0);
  }
}

function hint(otherCount: number, commandCount: number): string {
  if (commandCount === 0) return otherCount > 0 ? "" : "No other node can dial this one.";
  const next = `http://${location.hostname}:8081/demo/ball`;
  return `Then open ${next}, or the address that the new node names, and drag on either page.`;
}

function linkTo({ id, address }: BallAbout["others"][number]): HTMLElement {
  const [item, link] = [document.createElement("li"), document.createElement("a")];
  link.href = `http://${address}/demo/ball`;
  link.textContent = `Open it on ${id}`;
  link.className = "button";
  link.target = "_blank";
  item.append(link);
  return item;
}

function commandField({ label, line }: NonNullable<BallAbout["commands"]>[number]): HTMLElement {
  const [field, name, box] = ["p", "span", "span"].map((tag) => document.createElement(tag)) as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
  const [code, copy] = [document.createElement("code"), document.createElement("button")];
  field.className = "copy-field";
  name.className = "copy-label";
  name.textContent = label;
  box.className = "copy-box";
  code.className = "copy-value wraps";
  code.textContent = line;
  copy.type = "button";
  copy.className = "copy-button copy-text";
  copy.textContent = "Copy";
  copy.addEventListener("click", () => {
    void copyText(line).then((isCopied) => {
      copy.textContent = isCopied ? "Copied" : "Select it";
    });
  });
  box.append(code, copy);
  field.append(name, box);
  return field;
}
