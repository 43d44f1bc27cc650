/// Paths and file URLs as text; nothing here looks at the file system.
public enum Paths {
    /// The path of the folder that holds `path`: `/` for `/a`, `.` for a name alone.
    public static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The part after the last slash.
    public static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// `path` seen from `base`: itself when it is absolute, else below `base`; without `.`, `..` and double slashes.
    public static func resolve(_ path: String, from base: String) -> String {
        normalized(path.utf8.first == UInt8(ascii: "/") ? path : base + "/" + path)
    }

    /// The path without `.`, `..`, double and trailing slashes, by its text alone (symbolic links are not followed).
    public static func normalized(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        var parts: [Substring.UTF8View] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            let canClimb = parts.last.map { !$0.elementsEqual("..".utf8) } ?? false
            if !part.elementsEqual("..".utf8) || !(canClimb || isAbsolute) {
                parts.append(part)
            } else if canClimb {
                parts.removeLast()
            }
        }
        let text = parts.map { String(Substring($0)) }.joined(separator: "/")
        if isAbsolute { return "/" + text }
        return text.isEmpty ? "." : text
    }

    /// True when `path` is `directory` or below it; both must be normalized.
    public static func isInside(_ path: String, _ directory: String) -> Bool {
        let prefix = directory == "/" ? "/" : directory + "/"
        return path == directory || path.utf8.starts(with: prefix.utf8)
    }

    /// The path as a configuration in `directory` has it: relative (`./web.js`) if it is below that, so that a copy of the folder
    /// runs its own files; both must be absolute and normalized.
    public static func relative(_ path: String, to directory: String) -> String {
        guard path != directory, isInside(path, directory) else { return path }
        // By bytes: a character may go on behind a slash.
        let prefix = directory == "/" ? 1 : directory.utf8.count + 1
        return "./" + String(decoding: path.utf8.dropFirst(prefix), as: UTF8.self)
    }

    /// The `file://` URL of an absolute path, with the bytes a URL cannot hold percent-encoded.
    public static func fileURL(_ path: String) -> String { "file://" + percentEncoded(path) }

    /// The path that a `file://` URL names; nil when it is none, names another host or is badly encoded.
    public static func path(ofFileURL url: String) -> String? {
        let text = Array(url.utf8)
        guard text.count >= 7, String(decoding: text[..<7], as: UTF8.self).lowercased() == "file://" else { return nil }
        var rest = text[7...]
        if rest.starts(with: "localhost/".utf8) { rest = rest.dropFirst(9) }
        guard rest.first == UInt8(ascii: "/") else { return nil }
        let end = rest.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? rest.endIndex
        return percentDecoded(rest[..<end])
    }

    private static let socketScheme = "jsonrpc+unix://"

    /// The URL by which clients know a unix socket, with the bytes a URL cannot hold percent-encoded.
    public static func socketURL(_ path: String) -> String { socketScheme + percentEncoded(path) }

    /// The path that a `jsonrpc+unix://` URL names; nil when it is none or is badly encoded.
    public static func path(ofSocketURL url: String) -> String? {
        guard url.hasPrefix(socketScheme) else { return nil }
        return percentDecoded(url.utf8.dropFirst(socketScheme.utf8.count))
    }

    /// The path with each byte that may not stand in a URL's path written as `%XX` (RFC 3986, section 3.3).
    public static func percentEncoded(_ path: String) -> String {
        var out: [UInt8] = []
        for byte in path.utf8 {
            if isPlainInURL(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The text with each `%XX` decoded; nil for a bad escape, a NUL or bytes that are not UTF-8.
    public static func percentDecoded(_ text: some Collection<UInt8>) -> String? {
        var out: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                out.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            out.append(high << 4 | low)
        }
        return out.contains(0) ? nil : String(validating: out, as: UTF8.self)
    }

    private static func isPlainInURL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "/-._~!$&'()*+,;=:@".utf8.contains(byte)
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
