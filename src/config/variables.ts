export const PREFIX = 'SOUTHBRIDGE_';
/** Names the configuration file. */
export const FILE_VARIABLE = `${PREFIX}CONFIG`;
/** The token that commands show to a server; a server has no use for it. */
export const TOKEN_VARIABLE = `${PREFIX}TOKEN`;
