/** JSON schemas of `/objects`; each must match its type in the contract or it does not compile. */
import type {
  ObjectAnswer,
  ObjectMoved,
  ObjectRow,
  ObjectsAnswer,
  ObjectWritten,
  PropertyRow,
} from "@sluice/client/admin-objects";
import { amount, anyJson, arrayOf, count, flag, objectOf, oneOf, orNull, schemaOf, text } from "./schema-form.ts";

const POSITION = text("Position of a change, as EPOCH/VERSION");

export const OBJECT_ROW = schemaOf<ObjectRow>()(
  objectOf({
    path: text(),
    scope: oneOf(
      ["cluster", "node"],
      "cluster: one object on all nodes; node: of a local application, this node's own",
    ),
    home: orNull(text("Id of the node that orders its changes")),
    standby: orNull(text("Node that has every acknowledged change beside the home")),
    epoch: text("Of the home, as GENERATION.NUMBER"),
    version: count("Number of its last change"),
    durability: orNull({
      anyOf: [oneOf(["temporary", "each", "release"]), objectOf({ every: count("Milliseconds") })],
    } as const),
    properties: count(),
    bytes: count("Of all properties with their names"),
    clients: objectOf({ here: count("On this node"), all: count("On all nodes") }),
    copies: arrayOf(
      objectOf({
        node: text("Node id"),
        role: oneOf(["home", "standby", "replica"]),
        clients: count("Of a node that did not answer, as the home knows them"),
      }),
    ),
    rate: amount("Changes per second, over the last seconds"),
    lastWriter: orNull(
      objectOf({ client: text(), who: text("User or address of the client, empty once it has gone") }),
    ),
  }),
);

export const PROPERTY_ROW = schemaOf<PropertyRow>()(
  objectOf({
    name: text(),
    value: anyJson("As JSON; what JSON has no word for is tagged as in sluice.v1"),
    at: POSITION,
    bytes: count("In AMF3"),
  }),
);

const SILENT = arrayOf(text("Id of a node that did not answer"));

export const OBJECTS = {
  description: "A page of objects, in the order of their paths",
  ...schemaOf<ObjectsAnswer>()(
    objectOf({
      objects: arrayOf({ $ref: "ObjectRow#" } as const),
      total: count("All objects, those of other pages included"),
      more: flag("There are further ones behind this page"),
      silent: SILENT,
    }),
  ),
} as const;

export const OBJECT = {
  description: "The object with its properties",
  ...schemaOf<ObjectAnswer>()(
    objectOf({
      object: { $ref: "ObjectRow#" } as const,
      properties: arrayOf({ $ref: "PropertyRow#" } as const),
      lock: orNull(objectOf({ owner: text("Client that may write"), leaseMs: count() })),
      silent: SILENT,
    }),
  ),
} as const;

export const WRITTEN = {
  description: "The change is acknowledged",
  ...schemaOf<ObjectWritten>()(objectOf({ path: text(), at: POSITION })),
} as const;

export const MOVED = {
  description: "The object has another home",
  ...schemaOf<ObjectMoved>()(objectOf({ path: text(), home: text("Node id") })),
} as const;
