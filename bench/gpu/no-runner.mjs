/** In place of the test runner, where it is not: helpers of tests that are bundled expect something here and there. */
const passes = new Proxy(() => passes, { get: () => passes, apply: () => passes });

export const expect = Object.assign(() => passes, {
  fail(message) {
    throw new Error(message);
  },
});
