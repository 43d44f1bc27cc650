/// Names of this machine's loopback addresses (RFC 6761, section 6.3), which need no resolver.
public enum LocalHost {
    /// True for `localhost`, a name below it, and the names that Debian's /etc/hosts gives `::1`; with a dot at the end, too.
    public static func isName(_ host: String) -> Bool {
        let name = host.lowercased()
        let plain = name.hasSuffix(".") ? String(name.dropLast()) : name
        return plain == "localhost" || plain.hasSuffix(".localhost") || plain == "ip6-localhost"
            || plain == "ip6-loopback"
    }

    /// The addresses of a host: both of a loopback name, since programs listen at either; else the host itself.
    public static func addresses(of host: String) -> [String] { isName(host) ? ["127.0.0.1", "::1"] : [host] }
}
