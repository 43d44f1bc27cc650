/// Another name for a service and all its instances.
public struct ServiceRename: Equatable, Sendable {
    /// The name that it had.
    public let old: String
    /// The name that it gets.
    public let new: String

    /// Renames a service.
    public init(from old: String, to new: String) { (self.old, self.new) = (old, new) }

    /// The name that stands for a name afterwards: `api#2` for `web#2`, and every name of other services for itself.
    public func name(of name: String) -> String {
        if name == old { return new }
        guard let instance = InstanceName(name), instance.unit == old else { return name }
        return "\(new)#\(instance.number)"
    }

    /// A command of a service afterwards: `api.greet` for `web.greet`.
    public func command(_ command: String) -> String {
        command.hasPrefix(old + ".") ? new + command.dropFirst(old.count) : command
    }
}
