#!/usr/bin/env node
import { endOnClosedOutput, endOnSignals } from './cli/ending.js';
import { runProgram } from './cli/program.js';

const args = process.argv.slice(2);
endOnClosedOutput();
// `serve` closes its server first.
if (args[0] !== 'serve') endOnSignals();
await runProgram(args);
