/// A service that another one needs.
public struct Dependency: Equatable, Sendable {
    /// The effect on the dependent when the dependency goes down: it is stopped or restarted, or it dies.
    public enum OnStop: String, CaseIterable, Sendable {
        /// The dependent runs on.
        case keep
        /// The dependent runs on, and is restarted when the dependency is ready again.
        case restart
        /// The dependent is stopped, and started when the dependency is ready again.
        case stop
    }

    /// Name of the service that is needed.
    public var name: String
    /// The effect on the dependent when it goes down.
    public var onStop: OnStop

    /// Makes a dependency.
    public init(_ name: String, onStop: OnStop = .keep) {
        (self.name, self.onStop) = (name, onStop)
    }
}
