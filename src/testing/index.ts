// erst-hsm/testing

export {
  type ConformanceCase,
  type ConformanceTarget,
  signerConformance,
} from './conformance.js';
export { ConformanceError } from './expectations.js';
