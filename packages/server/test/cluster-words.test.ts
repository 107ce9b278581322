/** What `sluice status` says of a cluster, and advises. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRow, NodesAnswer } from "@sluice/client/admin-contract";
import { clusterAdvice } from "@sluice/client/cluster-advice";
import { nodeTable } from "@sluice/server/cli/cluster-words";
import { NODE, NODES } from "./admin-fakes.ts";

const other = (id: string, more: Partial<NodeRow> = {}): NodeRow => ({ ...NODE, id, self: false, ...more });
const answer = (...nodes: readonly NodeRow[]): NodesAnswer => ({ nodes: [NODE, ...nodes], silent: [], stale: false });

test("[NOD34] a node alone has a short table and no advice", () => {
  assert.deepEqual(clusterAdvice(answer(), "gcache"), []);
  assert.doesNotMatch(nodeTable(answer()), /ENGINE/);
  assert.match(nodeTable(answer(other("n2"))), /ENGINE.*\n.*this node\n.*yes/s);
});

test("[NOD34] two nodes are told that state does not fail over; three, and other engines, are not", () => {
  const [advice] = clusterAdvice(answer(other("n2")), "gcache");
  assert.match(advice?.text ?? "", /no automatic fail-over of state.*node\.roles: voter is enough/);
  assert.deepEqual(clusterAdvice(answer(other("n2")), "nats"), []);
  assert.deepEqual(clusterAdvice(answer(other("n2"), other("n3")), "gcache"), []);
  assert.equal(clusterAdvice(answer(other("n2"), other("n3", { state: "dead" })), "gcache").length, 1);
});

test("[NOD460] a node that starts is named with the reason why it is not ready", () => {
  const reasons = ["The state engine is not reachable yet: no member of the cluster answers"];
  const starts = other("n2", { state: "starting", reasons });
  const [advice, ...rest] = clusterAdvice(answer(starts, other("n3")), "gcache");
  assert.deepEqual(advice, { text: `n2 is not ready: ${reasons[0]}.`, nodes: ["n2"] });
  assert.deepEqual(rest, []);
  const [own] = clusterAdvice({ ...answer(), nodes: [{ ...NODE, state: "starting", reasons }] }, "gcache");
  assert.match(own?.text ?? "", /^n1 is not ready/);
});

test("[NOD34] what does not answer, is not linked or differs is named", () => {
  const advice = clusterAdvice({ ...NODES, nodes: [...NODES.nodes, other("n3", { linked: false })] }, "gcache");
  assert.deepEqual(
    advice.map(({ nodes }) => nodes.join()),
    ["n2", "n3", "n2", "", "n2", "n2"],
  );
  assert.deepEqual(
    advice.map(({ text }) => text),
    [
      "Suspect: no node hears them: n2.",
      "Alive but not linked with this node (is the path between the two open?): n3.",
      "No answer in time from: n2.",
      "This view may be wrong: it is unknown whether a suspect node is dead or only cut off from here.",
      "Another version than this node: n2.",
      "Other auth.* settings than this node, so nodes admit different clients: n2.",
    ],
  );
  assert.match(nodeTable(NODES), /^n2 +suspect +\? +\? +\? +\? +\? +\? +voter +\? +\? +no$/m);
});

test("[NOD409] a voter that is not there is named with what may be done about it; a learner is not", () => {
  const member = { address: "10.0.0.3:7935", present: false } as const;
  const members = [
    { ...member, id: "n2", role: "voter", present: true },
    { ...member, id: "n3", role: "voter" },
    { ...member, id: "n4", role: "learner" },
  ] as const;
  const advice = clusterAdvice(answer(other("n2"), other("n5")), "gcache", members);
  assert.deepEqual(
    advice.map(({ nodes }) => nodes),
    [["n3"]],
  );
  assert.match(advice[0]?.text ?? "", /sluice cluster remove n3.*sluice cluster replace n3/);
  assert.deepEqual(
    clusterAdvice(answer(other("n2")), "gcache", members).map(({ nodes }) => nodes),
    [["n3"]],
    "of two that are left nobody is told to add a third: the voter is to come back",
  );
});
