/** Which Redis this one behaves like: clients choose commands by it. */

export const REDIS_VERSION_SHOWN = "7.0.15";
