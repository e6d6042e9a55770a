/** Where the stand-in for Google Cloud Storage is, for tests. */
export function gcsEndpoint(): Promise<string> {
  const given = process.env['CATCHMENT_TEST_GCS'];
  if (given === undefined || given === '') throw new Error('name a fake-gcs-server in CATCHMENT_TEST_GCS');
  return Promise.resolve(given);
}
