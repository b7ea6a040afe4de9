//! What one pattern can do: its methods, each with its route.

/// Methods that a path with `ANY` is said to have, where a list is wanted.
const ANY_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The methods of one pattern.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    /// Method and number of the route, in the order of the file.
    pub(crate) named: Vec<(String, usize)>,
    /// The route for all other methods.
    pub(crate) any: Option<usize>,
}

impl Methods {
    /// The route for `method`. HEAD comes with GET (RFC 9110 section 9.3.2); a method by its name comes before `ANY`.
    pub(crate) fn route(&self, method: &str) -> Option<usize> {
        let named = |wanted: &str| self.named.iter().find(|(known, _)| known == wanted).map(|(_, route)| *route);
        let with_get = || if method == "HEAD" { named("GET") } else { None };
        named(method).or_else(with_get).or(self.any)
    }

    /// The numbers of all its routes.
    pub(crate) fn routes(&self) -> impl Iterator<Item = usize> {
        self.named.iter().map(|(_, route)| *route).chain(self.any)
    }

    /// The methods as `Allow` names them.
    pub(super) fn list(&self) -> Vec<String> {
        if self.any.is_some() {
            return ANY_METHODS.iter().map(|&method| method.to_owned()).collect();
        }
        let mut list: Vec<String> = self.named.iter().map(|(method, _)| method.clone()).collect();
        if let Some(get) = list.iter().position(|method| method == "GET")
            && !list.iter().any(|method| method == "HEAD")
        {
            list.insert(get + 1, "HEAD".to_owned());
        }
        list
    }
}
