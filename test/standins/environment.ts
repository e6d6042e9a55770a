/** No stand-in looks at credentials, but the SDK sends nothing without; and it must not ask the machine that it runs on for any. */
export const awsEnvironment = {
  AWS_ACCESS_KEY_ID: 'stand-in',
  AWS_SECRET_ACCESS_KEY: 'stand-in',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

/** The clients are told that they run nowhere at Google, and do not look for who they are there. */
export const gcpEnvironment = {
  GOOGLE_CLOUD_PROJECT: 'stand-in',
  METADATA_SERVER_DETECTION: 'none',
} as const;
