'use strict';

const { interact, InteractError } = require('./interact.cjs');
const { getRandomName } = require('./names.cjs');

module.exports = { interact, InteractError, getRandomName };
