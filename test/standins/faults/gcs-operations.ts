/**
 * What a call of the JSON API of Cloud Storage asks for, by Google's name for it, and for objects told apart by whether it is
 * for the bytes (`getObject`) or for what is known of them (`getObjectMetadata`). undefined: another service's call.
 */
export function gcsOperationOf(method: string, path: string, query: URLSearchParams): string | undefined {
  const [, upload, rest] = /^\/(upload\/|download\/)?storage\/v1\/(b(?:\/.*)?)$/.exec(path) ?? [];
  if (rest === undefined) return undefined;
  // A resumable upload comes back to its session by PUT.
  if (upload === 'upload/') return 'insertObject';
  // A slash in a name is percent-encoded.
  const [, bucket, part, name, more] = rest.split('/');
  if (bucket === undefined) return named(method, { GET: 'listBuckets', POST: 'insertBucket' });
  if (part === undefined)
    return named(method, { GET: 'getBucket', PATCH: 'patchBucket', PUT: 'updateBucket', DELETE: 'deleteBucket' });
  if (part === 'iam') return name === 'testPermissions' ? 'testIamPermissions' : undefined;
  if (part !== 'o' || more !== undefined) return undefined;
  if (name === undefined) return named(method, { GET: 'listObjects' });
  const get = query.get('alt') === 'media' ? 'getObject' : 'getObjectMetadata';
  return named(method, { GET: get, PATCH: 'patchObject', DELETE: 'deleteObject' });
}

function named(method: string, names: Readonly<Record<string, string>>): string | undefined {
  return names[method];
}
