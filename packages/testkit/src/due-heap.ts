/** Items by due time, earliest first; items due at the same time in order of insertion. */

export interface Due {
  readonly at: number;
  readonly order: number;
}

/** A binary heap: simulations take the next item very often. */
export class DueHeap<Item extends Due> {
  readonly #items: Item[] = [];

  first(): Item | undefined {
    return this.#items[0];
  }

  put(item: Item): void {
    const items = this.#items;
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!isBefore(item, items[above] as Item)) break;
      items[place] = items[above] as Item;
      place = above;
    }
    items[place] = item;
  }

  takeFirst(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: Item): void {
    const items = this.#items;
    let place = 0;
    for (let below = 1; below < items.length; below = 2 * place + 1) {
      const right = items[below + 1];
      if (right !== undefined && isBefore(right, items[below] as Item)) below++;
      if (!isBefore(items[below] as Item, item)) break;
      items[place] = items[below] as Item;
      place = below;
    }
    items[place] = item;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
