/** How long tests with random operations run: TEST_TIER is `test`, the default, `ci` or `long`. */
export const TIERS = {
  test: {
    socketOperations: 2_000,
    exploresAllDesigns: false,
    exploresEveryMistake: false,
    stressRounds: 30,
    allPresets: false,
    testsWholePage: false,
    hazardSeconds: 0,
    hazardRounds: 40,
    fullDemo: false,
    checkpointStride: 97,
    triesDelivery: false,
    differentialAccesses: 60_000,
    loadMs: 400,
    allLoads: false,
    soakSeconds: 5,
    comparesSoakMemory: false,
    abusiveConnections: 200,
    silentRounds: 40,
  },
  ci: {
    socketOperations: 20_000,
    exploresAllDesigns: true,
    exploresEveryMistake: false,
    stressRounds: 300,
    allPresets: true,
    testsWholePage: true,
    hazardSeconds: 10,
    hazardRounds: 400,
    fullDemo: true,
    checkpointStride: 7,
    triesDelivery: true,
    differentialAccesses: 600_000,
    loadMs: 1_000,
    allLoads: true,
    soakSeconds: 10,
    comparesSoakMemory: false,
    abusiveConnections: 400,
    silentRounds: 200,
  },
  long: {
    socketOperations: 100_000,
    exploresAllDesigns: true,
    exploresEveryMistake: true,
    stressRounds: 5_000,
    allPresets: true,
    testsWholePage: true,
    hazardSeconds: 60,
    hazardRounds: 2_000,
    fullDemo: true,
    checkpointStride: 1,
    triesDelivery: true,
    differentialAccesses: 10_000_000,
    loadMs: 10_000,
    allLoads: true,
    soakSeconds: 600,
    comparesSoakMemory: true,
    abusiveConnections: 1000,
    silentRounds: 1000,
  },
} as const;

function isTier(name: string): name is keyof typeof TIERS {
  return name in TIERS;
}

const name = process.env.TEST_TIER ?? 'test';
if (!isTier(name)) throw new Error(`TEST_TIER is ${name}, not one of ${Object.keys(TIERS).join(', ')}`);

export const tier = TIERS[name];
