/// Keys and certificates as text (RFC 7468), where the path of their file may be given as well.
public enum PEM {
    /// True for such a text; false for a path.
    public static func isText(_ value: String) -> Bool { value.hasBytes(of: "-----BEGIN") }

    /// The value with a path made absolute; text stays as it is.
    public static func resolved(_ value: String, from directory: String) -> String {
        isText(value) ? value : Paths.resolve(value, from: directory)
    }
}
