/** Numbers in [0, 1) that the seed decides (mulberry32), so that a failing run can be replayed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** The seed of this run: `SEED` of the environment, else a new one. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Runs what depends on the seed; a failure says how to run the same again. */
export async function seeded(file: string, run: (random: () => number) => Promise<void>): Promise<void> {
  try {
    await run(randomFrom(seed));
  } catch (error) {
    console.error(`replay: SEED=${seed} NODE_OPTIONS=--experimental-vm-modules npx jest ${file}`);
    throw error;
  }
}
