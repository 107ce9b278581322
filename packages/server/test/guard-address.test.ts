/** Addresses, networks and key patterns: tables of what equals and matches what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressGroup, isLoopback, normaliseAddress } from "@sluice/runtime/sockets/ip-address";
import { AddressRules } from "@sluice/server/auth/address-rules";
import { NetworkSet } from "@sluice/runtime/sockets/network-set";
import { matchesKey } from "@sluice/server/auth/jwt-check";

const ADDRESSES = [
  ["10.1.2.3", "10.1.2.3", "10.1.2.3", false],
  ["::ffff:10.1.2.3", "10.1.2.3", "10.1.2.3", false],
  ["::ffff:a01:203", "10.1.2.3", "10.1.2.3", false],
  ["127.0.0.1", "127.0.0.1", "127.0.0.1", true],
  ["127.9.9.9", "127.9.9.9", "127.9.9.9", true],
  ["::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1", true],
  ["::1", "0:0:0:0:0:0:0:1", "0:0:0:0::/64", true],
  ["0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1", "0:0:0:0::/64", true],
  ["::", "0:0:0:0:0:0:0:0", "0:0:0:0::/64", false],
  ["::2", "0:0:0:0:0:0:0:2", "0:0:0:0::/64", false],
  ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1", "fe80:0:0:0::/64", false],
  ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", false],
  ["2001:db8::", "2001:db8:0:0:0:0:0:0", "2001:db8:0:0::/64", false],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0:0:0:c000:201", "64:ff9b:0:0::/64", false],
  ["localhost", undefined, "localhost", false],
  ["", undefined, "", false],
  ["127.0.0.1:80", undefined, "127.0.0.1:80", false],
] as const;

for (const [text, normal, group, loopback] of ADDRESSES) {
  test(`[GRD1] ${JSON.stringify(text)} is ${normal}`, () => {
    assert.equal(normaliseAddress(text), normal);
    assert.equal(addressGroup(text), group);
    assert.equal(isLoopback(text), loopback);
  });
}

const NETWORKS = [
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "::ffff:10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["::ffff:10.0.0.0/104", "10.255.0.1", true],
  ["::ffff:10.0.0.0/104", "11.0.0.1", false],
  ["::ffff:10.0.0.1", "10.0.0.1", true],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "2001:db8::1", true],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["fe80::/10", "fe80::1%eth0", true],
  ["0.0.0.0/0", "not an address", false],
] as const;

for (const [network, address, inside] of NETWORKS) {
  test(`[GRD1] ${address} is ${inside ? "" : "not "}in ${network}`, () => {
    assert.equal(new NetworkSet([network]).has(address), inside);
  });
}

const RULES = [
  [[], [], "10.0.0.1", true],
  [["10.0.0.0/8"], [], "10.0.0.1", true],
  [["10.0.0.0/8"], [], "11.0.0.1", false],
  [[], ["10.0.0.0/8"], "10.0.0.1", false],
  [[], ["10.0.0.0/8"], "11.0.0.1", true],
  [["10.0.0.0/8"], ["10.0.0.1"], "10.0.0.1", false],
  [["10.0.0.1"], ["10.0.0.0/8"], "10.0.0.1", false],
  [["10.0.0.0/8"], [], "junk", false],
] as const;

for (const [allow, deny, address, admitted] of RULES) {
  test(`[GRD2] allow ${allow}, deny ${deny}: ${address} ${admitted ? "may" : "may not"}`, () => {
    assert.equal(new AddressRules({ allow, deny }).admits(address), admitted);
  });
}

const PATTERNS = [
  ["live/cam", "live/cam", true],
  ["live/cam", "live/cam2", false],
  ["live/cam", "live/cam/x", false],
  ["live/*", "live/cam", true],
  ["live/*", "live", false],
  ["live/*", "live/a/b", false],
  ["*/cam", "live/cam", true],
  ["live/**", "live/cam", true],
  ["live/**", "live/a/b/c", true],
  ["live/**", "live", false],
  ["live/**", "lively/cam", false],
  ["**", "live/cam", true],
  ["**", "live", true],
  ["live/**/cam", "live/a/cam", false],
  ["live/c*", "live/cam", false],
  ["live/c*", "live/c*", true],
  ["", "live", false],
  ["live/", "live/cam", false],
] as const;

for (const [pattern, key, matches] of PATTERNS) {
  test(`[GRD13] ${pattern} ${matches ? "fits" : "does not fit"} ${key}`, () =>
    assert.equal(matchesKey(pattern, key), matches));
}
