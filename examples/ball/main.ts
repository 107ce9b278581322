/** Moves the ball of `/demo/ball` in a circle, and prints where others put it. */

const [base = "ws://localhost:8080"] = process.argv.slice(2);
const socket = new WebSocket(`${base}/ballControl`, "sluice.v1");
const send = (message: object): void => socket.send(JSON.stringify(message));

let [id, client, isOpen] = [2, "", false];

socket.addEventListener("open", () => {
  send({ type: "connect", id: 1, agent: "ghost" });
  send({ type: "open", id: 2, name: "ball" });
});

socket.addEventListener("message", ({ data }) => {
  const message = JSON.parse(String(data));
  if (message.type === "answer" && message.status === "refused")
    console.log(`refused: ${message.code} ${message.detail}`);
  if (message.type === "answer" && message.client) client = message.client;
  if (message.type === "snapshot") isOpen = true;
  if (message.type !== "change" || message.by?.client === client) return;
  for (const { type, name, value } of message.operations) if (type === "set") console.log(`${name} = ${value}`);
});

socket.addEventListener("close", ({ code, reason }) => {
  console.log(`closed: ${code} ${reason}`);
  process.exit(1);
});

setInterval(() => {
  if (!isOpen) return;
  const turn = Date.now() / 700;
  const [x, y] = [500 + 300 * Math.cos(turn), 300 + 200 * Math.sin(turn)].map(Math.round);
  const set = (name: string, value: unknown) => ({ type: "set", name, value });
  send({ type: "write", id: ++id, object: "ballControl/ball", operations: [set("x", x), set("y", y)] });
}, 40);
