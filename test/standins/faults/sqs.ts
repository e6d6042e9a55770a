/** What SQS may do to its clients, by its JSON protocol. Each of these leaves calls alone that it has no part in. */
export { disownEntries, refuseEntries } from './sqs-batches.js';
export { deliverAgain, deliverLate, deliverTwice } from './sqs-deliveries.js';
export { inFlightCap } from './sqs-in-flight.js';
