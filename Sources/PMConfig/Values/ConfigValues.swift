/// Parts that a configuration takes from elsewhere when it is read: the values of its variables and one of its profiles.
public struct ConfigValues: Equatable, Sendable {
    /// Effect of a variable without a value on a file.
    public enum Unset: Sendable {
        /// The file has an error.
        case isError
        /// The text stays as it is written, and that value is not judged: the program that runs the services has
        /// another environment.
        case isKept
    }

    /// The variables.
    public var variables: [String: String]
    /// The profile that is laid over the file; nil: none.
    public var profile: String?
    /// Effect of a variable without a value.
    public var unset = Unset.isError

    /// Values of an environment.
    public init(variables: [String: String], profile: String? = nil) {
        (self.variables, self.profile) = (variables, profile)
    }

    /// For a program that changes the file and runs nothing of it.
    public static func forEditing(variables: [String: String], profile: String? = nil) -> Self {
        var values = Self(variables: variables, profile: profile)
        values.unset = .isKept
        return values
    }

    /// No variables and no profile.
    public static let none = Self(variables: [:])

    /// The variable that names the profile where no option does.
    public static let profileVariable = "PM_PROFILE"
}
