// fauxqs on a free port of 127.0.0.1, and the port on standard output. Its own command line would listen on
// every interface. Ends when standard input does, so that it never outlives whoever started it.
import { buildApp } from "fauxqs";
import { SqsStore } from "./node_modules/fauxqs/dist/sqs/sqsStore.js";

const LOOK_MS = 50;
const REPLIES_KEPT = 20_000;

// What was sent to response queues, for a test that counts the replies of a job.
const replies = [];
const sqsStore = new SqsStore();
sqsStore.spy = {
  addMessage({ status, queueName, body }) {
    if (status !== "published" || !queueName.includes("-responses-")) return;
    replies.push(body);
    if (replies.length > REPLIES_KEPT) replies.shift();
  },
};
const app = buildApp({ logger: false, defaultRegion: process.argv[2], stores: { sqsStore } });
app.get("/_iraas/replies", async () => replies);

// Its clock, which a test may put forward.
const now = Date.now;
let ahead = 0;
Date.now = () => now() + ahead;
app.get("/_iraas/advance/:seconds", async (request) => {
  ahead += Math.ceil(1000 * Number(request.params.seconds));
  sqsStore.processAllTimers();
  return ahead;
});
const address = await app.listen({ port: 0, host: "127.0.0.1" });
console.log(new URL(address).port);

// Left alone it ends leases only when somebody receives, and GetQueueAttributes counts what is long visible.
setInterval(() => sqsStore.processAllTimers(), LOOK_MS).unref();
process.stdin.on("end", () => process.exit(0)).resume();
