/** Faults put into the code under test, to show that the model finds them. */
import { History } from "@sluice/state/history";
import { HomeReplicas } from "@sluice/state/home-replicas";

/** Success is told although the standby does not have the change. */
export function plantStandbyNotTold(): Disposable {
  const { standbyHas } = HomeReplicas.prototype;
  HomeReplicas.prototype.standbyHas = () => true;
  return { [Symbol.dispose]: () => void Object.assign(HomeReplicas.prototype, { standbyHas }) };
}

/** Whoever resumes from the history is given it from one change too late. */
export function plantVersionGap(): Disposable {
  const { at } = History.prototype;
  History.prototype.at = function (distance) {
    return at.call(this, distance > 2 ? distance - 1 : distance);
  };
  return { [Symbol.dispose]: () => void Object.assign(History.prototype, { at }) };
}
