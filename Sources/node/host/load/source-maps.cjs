'use strict';
/**
 * Stacks name the lines of the sources from which a program was compiled, where it has source maps: Node reads them only if
 * that is asked before the file is loaded, and asking costs time at each stack. Node.js 16.6 and newer can.
 */
const { existsSync } = require('fs');

const REFUSED = '--no-enable-source-maps';

/**
 * @param {string} file a file that is loaded next; its map is beside it, as compilers write it
 */
exports.useSourceMaps = function useSourceMaps(file) {
  if (typeof process.setSourceMapsEnabled !== 'function' || !existsSync(`${file}.map`)) return;
  const options = process.execArgv.concat(process.env.NODE_OPTIONS || '');
  if (!options.some((option) => option.includes(REFUSED))) process.setSourceMapsEnabled(true);
};
