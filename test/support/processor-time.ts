/** Gives the milliseconds that this process has worked since: limits on time hold however busy the machine is. */
export function processorTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}
