public import PMModel

/// What a plugin says of itself in its package.json, and what it may add to pm.
public struct PluginManifest: Equatable, Sendable {
    /// How its module is called.
    public enum Form: Equatable, Sendable {
        /// Its default export takes pm's plugin object; it may add what it declares.
        case own
        /// It is written for the reference's command line: its default export takes a program, and it may add commands.
        case reference
    }

    /// A runtime and its driver.
    public struct Runtime: Equatable, Sendable {
        /// The word for `type`.
        public var name: String
        /// The absolute path of the driver.
        public var driver: String

        /// Names a runtime and its driver.
        public init(name: String, driver: String) {
            self.name = name
            self.driver = driver
        }
    }

    /// The name of the package.
    public var name: String
    /// The version of the package; nil: it has none.
    public var version: String?
    /// The absolute path of the package.json.
    public var file: String
    /// The absolute path of its module; nil: it has none, because it only has runtimes.
    public var module: String?
    /// How its module is called.
    public var form = Form.own
    /// Names of commands; of the form of the reference none, because it names them when it runs.
    public var commands: [String] = []
    /// Runtimes.
    public var runtimes: [Runtime] = []
    /// Names of checks.
    public var probes: [String] = []
    /// Kinds of events.
    public var events: [String] = []
    /// Routes of HTTP.
    public var routes: [RoutePattern] = []

    /// A plugin that adds nothing yet.
    public init(name: String, file: String) {
        self.name = name
        self.file = file
    }

    /// The name of its unit.
    public var unit: String { UnitName.pluginPrefix + name }

    /// True when it needs a process of its own.
    public var hasHost: Bool { module != nil }
}
