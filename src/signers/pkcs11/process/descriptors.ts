// Descriptors of a module's process beside stdin, stdout and stderr (a module may print on those).

/** Frames, both ways. */
export const FRAMES_FD = 3;
/** Carries nothing; its end says that the host is gone. */
export const LIFELINE_FD = 4;
