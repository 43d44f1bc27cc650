/// An event of an incarnation, as pm notes it in the log of its service.
public enum IncarnationEvent: Equatable, Sendable {
    /// Its program runs.
    case started(Started)
    /// Its program has ended, or could not be started. Boxed, because a record is large.
    indirect case ended(DeathRecord)

    /// The start of an incarnation.
    public struct Started: Equatable, Sendable {
        /// Which start of the instance it is, from 1.
        public var incarnation: UInt64
        /// Process id of its main process.
        public var pid: Int32
        /// The number of automatic restarts that led to it; 0 after a requested start.
        public var restarts: Int

        /// Makes the values.
        public init(incarnation: UInt64, pid: Int32, restarts: Int) {
            (self.incarnation, self.pid, self.restarts) = (incarnation, pid, restarts)
        }
    }
}
