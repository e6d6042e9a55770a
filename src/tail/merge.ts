/** Several sorted lists as one. */
export async function* merge<Item>(
  lists: readonly AsyncGenerator<Item>[],
  isBefore: (a: Item, b: Item) => boolean,
): AsyncGenerator<Item> {
  try {
    const heads = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      let first: { readonly item: Item; readonly index: number } | undefined;
      for (const [index, { done, value }] of heads.entries())
        if (done !== true && (first === undefined || isBefore(value, first.item))) first = { item: value, index };
      if (first === undefined) return;
      yield first.item;
      heads[first.index] = await lists[first.index]!.next();
    }
  } finally {
    await Promise.all(lists.map((list) => list.return(undefined)));
  }
}
