/** How long tests with random operations run: TEST_TIER is `test`, the default, `ci` or `long`. */
export const TIERS = {
  test: {
    /** Of so many golden traces, one is replayed where another design replays all. */
    traceStride: 3,
    /** By so many characters a replay string is shortened from one try to the next. */
    shortenedStride: 7,
    /** Each command line is tried in a process of its own. */
    realProcesses: false,
    socketOperations: 2_000,
    /** Of each client in the model of sessions. */
    sessionOperations: 300,
    /** Of the clients for C and Python. */
    programOperations: 60,
    /** Of a guest on an emulator. */
    guestInterrupts: 0,
    /** Of interrupts at 300 Hz for the blocking client. */
    waitSeconds: 0,
    /** Every nth seeded bug is tried, and every nth scenario checked for conflicts between its threads. */
    exploreStride: 3,
    /** Every nth generated program of a prepared machine is explored. */
    programStride: 800,
    /** Random programs on which exploration with and without sleep sets is compared. */
    randomPrograms: 20,
    exploresAllDesigns: false,
    exploresEverySeededBug: false,
    stressRounds: 30,
    allPresets: false,
    replayDesigns: 'few',
    testsWholePage: false,
    testsEveryView: false,
    hazardSeconds: 0,
    hazardRounds: 40,
    fullDemo: false,
    pastesReadme: false,
    checkpointStride: 293,
    triesDelivery: false,
    differentialAccesses: 30_000,
    loadMs: 300,
    allLoads: false,
    soakSeconds: 3,
    comparesSoakMemory: false,
    abusiveConnections: 200,
    silentRounds: 40,
    fuzzedFrames: 2_000,
    fuzzedSockets: 30,
    fuzzedRequests: 250,
    fuzzedConfigurations: 200,
    fuzzedSnapshots: 60,
    killRounds: 1,
    /** ms by which the oldest checkpoint may be older than its interval, on a loaded computer. */
    killSlackMs: 20000,
    jumpsWallClock: false,
    faultsFromOutside: false,
    threadDeaths: 6,
    /** Random programs of each kind that run on a real QEMU. */
    conformSeeds: 0,
    /** Recorded traces that a C program replays on the stand-in for QEMU. */
    compiledTraces: 4,
    everySwitch: false,
    /** Rounds in which three writers update one key. */
    casRounds: 20,
    triesCluster: false,
    /** Of so many golden traces, one is replayed through a node that has not the machine. */
    clusterTraceStride: 1,
    /** Simulated runs of four nodes, and of larger clusters. */
    smallClusters: 2,
    /** Every nth bug in the code of the cluster is put in. */
    clusterBugStride: 10,
    /** Machines of a cluster whose parts fail. */
    failingMachines: 0,
    /** Migrations of one machine under load. */
    migrations: 0,
    clusterRuns: 0,
    clusterNodes: 10,
    clusterMachines: 200,
    /** Random scripts of the stream of events. */
    logRuns: 20,
  },
  ci: {
    traceStride: 15,
    shortenedStride: 45,
    realProcesses: false,
    socketOperations: 2_500,
    sessionOperations: 200,
    programOperations: 60,
    guestInterrupts: 0,
    waitSeconds: 3,
    exploreStride: 8,
    programStride: 800,
    randomPrograms: 15,
    exploresAllDesigns: true,
    exploresEverySeededBug: false,
    stressRounds: 60,
    allPresets: true,
    replayDesigns: 'few',
    testsWholePage: true,
    testsEveryView: false,
    hazardSeconds: 3,
    hazardRounds: 150,
    fullDemo: false,
    pastesReadme: false,
    checkpointStride: 289,
    triesDelivery: true,
    differentialAccesses: 20_000,
    loadMs: 500,
    allLoads: true,
    soakSeconds: 4,
    comparesSoakMemory: false,
    abusiveConnections: 200,
    silentRounds: 40,
    fuzzedFrames: 2_000,
    fuzzedSockets: 30,
    fuzzedRequests: 150,
    fuzzedConfigurations: 120,
    fuzzedSnapshots: 100,
    killRounds: 2,
    /** ms by which the oldest checkpoint may be older than its interval, on a loaded computer. */
    killSlackMs: 20000,
    jumpsWallClock: false,
    faultsFromOutside: false,
    threadDeaths: 4,
    /** Random programs of each kind that run on a real QEMU. */
    conformSeeds: 2,
    /** Recorded traces that a C program replays on the stand-in for QEMU. */
    compiledTraces: 4,
    everySwitch: false,
    /** Rounds in which three writers update one key. */
    casRounds: 20,
    triesCluster: true,
    /** Of so many golden traces, one is replayed through a node that has not the machine. */
    clusterTraceStride: 100,
    /** Simulated runs of four nodes, and of larger clusters. */
    smallClusters: 2,
    /** Every nth bug in the code of the cluster is put in. */
    clusterBugStride: 3,
    failingMachines: 0,
    migrations: 0,
    clusterRuns: 0,
    clusterNodes: 10,
    clusterMachines: 200,
    /** Random scripts of the stream of events. */
    logRuns: 20,
  },
  long: {
    traceStride: 1,
    shortenedStride: 1,
    realProcesses: true,
    socketOperations: 100_000,
    sessionOperations: 100_000,
    programOperations: 100_000,
    guestInterrupts: 10_000,
    waitSeconds: 60,
    exploreStride: 1,
    programStride: 10,
    randomPrograms: 1_000,
    exploresAllDesigns: true,
    exploresEverySeededBug: true,
    stressRounds: 5_000,
    allPresets: true,
    replayDesigns: 'all',
    testsWholePage: true,
    testsEveryView: true,
    hazardSeconds: 60,
    hazardRounds: 2_000,
    fullDemo: true,
    pastesReadme: true,
    checkpointStride: 1,
    triesDelivery: true,
    differentialAccesses: 10_000_000,
    loadMs: 10_000,
    allLoads: true,
    soakSeconds: 600,
    comparesSoakMemory: true,
    abusiveConnections: 1000,
    silentRounds: 1000,
    fuzzedFrames: 1_000_000,
    fuzzedSockets: 5_000,
    fuzzedRequests: 100_000,
    fuzzedConfigurations: 100_000,
    fuzzedSnapshots: 20_000,
    killRounds: 200,
    /** ms by which the oldest checkpoint may be older than its interval, on a loaded computer. */
    killSlackMs: 5000,
    jumpsWallClock: true,
    faultsFromOutside: true,
    threadDeaths: 1_000,
    /** Random programs of each kind that run on a real QEMU. */
    conformSeeds: 2_000,
    /** Recorded traces that a C program replays on the stand-in for QEMU. */
    compiledTraces: 50,
    everySwitch: true,
    /** Rounds in which three writers update one key. */
    casRounds: 1_000,
    triesCluster: true,
    /** Of so many golden traces, one is replayed through a node that has not the machine. */
    clusterTraceStride: 1,
    /** Simulated runs of four nodes, and of larger clusters. */
    smallClusters: 2_000,
    /** Every nth bug in the code of the cluster is put in. */
    clusterBugStride: 1,
    failingMachines: 300,
    migrations: 1000,
    clusterRuns: 10_000,
    clusterNodes: 50,
    clusterMachines: 2_000,
    logRuns: 400,
  },
} as const;

function isTier(name: string): name is keyof typeof TIERS {
  return name in TIERS;
}

const name = process.env.TEST_TIER ?? 'test';
if (!isTier(name)) throw new Error(`TEST_TIER is ${name}, not one of ${Object.keys(TIERS).join(', ')}`);

export const tier = TIERS[name];
