import { bodyOf, type Envelope } from '../envelope.js';

/** Whether the text is any part of an event's body, as bytes, or of one of its attributes' values. */
export function matcher(text: string): (envelope: Envelope) => boolean {
  return (envelope) => {
    const inBody =
      envelope.bodyEncoding === undefined ? envelope.body.includes(text) : Buffer.from(bodyOf(envelope)).includes(text);
    return inBody || Object.values(envelope.attributes).some((value) => value.includes(text));
  };
}
