import type { Place, Provider } from 'catchment';

/** The provider with some of its part's methods replaced. */
export function altered<Part extends object>(
  provider: Provider<Part>,
  methods: (part: Part, place: Place) => Partial<Part>,
): Provider<Part> {
  return {
    ...provider,
    open(place) {
      const part = provider.open(place);
      const replaced = methods(part, place);
      return new Proxy(part, {
        get(target, name) {
          const own: unknown = Reflect.get(name in replaced ? replaced : target, name);
          // Parts have private members, which a proxy has not.
          return typeof own === 'function' ? (own.bind(target) as unknown) : own;
        },
      });
    },
  };
}
