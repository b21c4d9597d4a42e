/** The cheapest way to cut a network in two (Dinic's algorithm): small, and no package on npm does only this. Pure. */

/** An edge that must not be cut. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A network between a source (node 0) and a sink (node 1). */
export class Network {
  /** Edges come in pairs: an edge and its reverse differ in the last bit of their number. */
  readonly #to: number[] = [];
  readonly #room: number[] = [];
  readonly #from: number[][] = [[], []];

  /** A new node. */
  add(): number {
    return this.#from.push([]) - 1;
  }

  /** @param cost of cutting the edge, at least 0 */
  connect(from: number, to: number, cost: number): void {
    this.#from[from]?.push(this.#to.length);
    this.#to.push(to);
    this.#room.push(cost);
    this.#from[to]?.push(this.#to.length);
    this.#to.push(from);
    this.#room.push(0);
  }

  /** The nodes that stay with the source when the cheapest set of edges is cut. */
  cut(): (node: number) => boolean {
    for (;;) {
      const levels = this.#levels();
      if (levels[1] === undefined) return (node) => levels[node] !== undefined;
      const next = this.#from.map(() => 0);
      while (this.#push(levels, next)) continue;
    }
  }

  /** How many edges with room each node is from the source. */
  #levels(): (number | undefined)[] {
    const levels: (number | undefined)[] = this.#from.map(() => undefined);
    levels[0] = 0;
    const queue = [0];
    for (const node of queue) {
      for (const edge of this.#from[node] ?? []) {
        const to = this.#to[edge] ?? 0;
        if ((this.#room[edge] ?? 0) <= 0 || levels[to] !== undefined) continue;
        levels[to] = (levels[node] ?? 0) + 1;
        queue.push(to);
      }
    }
    return levels;
  }

  /** Fills one path to the sink; without recursion, since a path may be long. */
  #push(levels: readonly (number | undefined)[], next: number[]): boolean {
    const path: number[] = [];
    let node = 0;
    while (node !== 1) {
      const edges = this.#from[node] ?? [];
      let at = next[node] ?? 0;
      const level = levels[node] ?? 0;
      while (at < edges.length && !this.#leads(edges[at] ?? 0, level, levels)) at++;
      next[node] = at;
      const edge = edges[at];
      if (edge !== undefined) {
        path.push(edge);
        node = this.#to[edge] ?? 0;
        continue;
      }
      const back = path.pop();
      if (back === undefined) return false;
      node = this.#to[back ^ 1] ?? 0;
      next[node] = (next[node] ?? 0) + 1;
    }
    const room = Math.min(...path.map((edge) => this.#room[edge] ?? 0));
    for (const edge of path) {
      this.#room[edge] = (this.#room[edge] ?? 0) - room;
      this.#room[edge ^ 1] = (this.#room[edge ^ 1] ?? 0) + room;
    }
    return true;
  }

  #leads(edge: number, level: number, levels: readonly (number | undefined)[]): boolean {
    return (this.#room[edge] ?? 0) > 0 && levels[this.#to[edge] ?? 0] === level + 1;
  }
}
