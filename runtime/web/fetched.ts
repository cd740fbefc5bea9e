/** Files by their addresses. */

/**
 * @param failure makes the error of one line that is thrown where the file can't be had
 */
export async function fetched(
  address: string,
  failure: new (message: string, options?: ErrorOptions) => Error,
): Promise<Response> {
  const response = await fetch(address).catch((cause: unknown) => {
    throw new failure(`${address}: can't be fetched`, { cause });
  });
  if (!response.ok) throw new failure(`${address}: can't be fetched (${response.status})`);
  return response;
}
