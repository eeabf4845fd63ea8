/** The texts of arranging sessions and of tiles. */

import { translated } from "../language";

export const text = {
  moved: (at: number, all: number) => `Moved: ${at} of ${all}`,
  movedInto: (group: string) => `Moved into ${group}`,
  rest: "the others",
  pin: (name: string) => `Pin ${name}`,
  unpin: (name: string) => `Unpin ${name}`,
  up: (name: string) => `Move ${name} up`,
  down: (name: string) => `Move ${name} down`,
  intoGroup: (name: string, group: string) => `Put ${name} into ${group}`,
  outOfGroup: (name: string) => `Take ${name} out of its group`,
  intoNew: (name: string) => `Put ${name} into a new group…`,
  newGroup: "New group",
  newGroupCommand: "New group…",
  groupName: "Name of the group",
  create: "Create",
  renameGroup: (name: string) => `Rename group ${name}…`,
  removeGroup: (name: string) => `Remove group ${name}`,
  groupUp: (name: string) => `Move group ${name} up`,
  rename: "Rename group",
  byNeed: "Order: by need",
  ownOrder: "Order: your own",
  byDirectory: "Group by directory",
  notByDirectory: "Do not group by directory",
};

translated("layout", { text });
