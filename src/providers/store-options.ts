import { z } from 'zod';

/** What no folder can be called either, so that a bucket can be copied to a folder lake and back. */
const isPrefix = (text: string): boolean =>
  text === '' ||
  (/^[\w!\-.*'()=/]{1,512}$/.test(text) &&
    text
      .replace(/\/$/, '')
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..'));

const isEndpoint = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '';
};

/** The option `prefix` of a lake in a bucket. */
export const prefixOption = z
  .string('is no prefix; write a text such as "app"')
  .refine(isPrefix, "is no prefix; write names with / between them, of A-Z, a-z, 0-9 and !-_.*'()=, at most 512 in all")
  .optional();

/** The option `endpoint` of a store; `example`: `http://127.0.0.1:8333`. */
export function endpointOption(example: string) {
  const wrong = `is no endpoint; write a URL such as '${example}'`;
  return z.string(wrong).refine(isEndpoint, `${wrong}, without user, password or query`).optional();
}

/** What all keys begin with: empty, or with a "/" at its end. */
export function prefixOf(option: string | undefined): string {
  return option === undefined || option === '' ? '' : option.replace(/\/?$/, '/');
}
