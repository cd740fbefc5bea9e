/** What is made of a session that nothing else will close. */
import type { Session } from "./session-types.js";

/** What is made of it; where that fails, the session is closed. */
export async function orClosed<T>(session: Session, make: () => T): Promise<T> {
  try {
    return make();
  } catch (error) {
    await session.close();
    throw error;
  }
}
