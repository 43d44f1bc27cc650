internal import Glibc

/// Recognises numeric addresses of the internet (inet_pton(3)).
enum NumericAddress {
    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    /// True for the short forms, too: `127.1` (inet_aton(3)).
    static func isAnyIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_aton(text, &address) == 1
    }

    static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }
}
