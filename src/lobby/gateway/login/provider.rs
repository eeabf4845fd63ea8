//! The OpenID Connect provider: what it says of itself, and who a person is by its word.

use crate::gateway::settings::Oidc;
use crate::gateway::site::Site;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use terminal_lobby::sys::net::http::{HttpError, Messenger};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;

/// How long one request to the provider may take, and all of one login.
const REQUEST: Duration = Duration::from_secs(5);
const LOGIN: Duration = Duration::from_secs(12);
/// The largest answer of the provider's, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// What the provider says of itself is asked again after so long; what it said is used while it does not answer.
const FRESH: Duration = Duration::from_mins(10);
/// Between two questions because of a key that is not known.
const AGAIN: Duration = Duration::from_secs(10);

/// The claims that no standard names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OtherClaims {
    #[serde(flatten)]
    all: serde_json::Map<String, serde_json::Value>,
}

impl AdditionalClaims for OtherClaims {}

type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Ours = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    #[error("the address {0} is not valid")]
    Address(&'static str),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("asking the provider about itself: {0}")]
    Discovery(String),
    #[error("the provider took too long")]
    Slow,
    #[error("exchanging the code: {0}")]
    Exchange(String),
    #[error("the identity token is not valid: {0}")]
    Token(String),
    #[error("the identity token has no usable claim '{0}'")]
    Claim(String),
    #[error("a part of the lobby failed")]
    Task,
}

/// Where a browser is sent, and what it has to bring back.
pub(crate) struct Begun {
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// The provider, and what it last said of itself.
pub(crate) struct Provider {
    settings: Oidc,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: Messenger,
    known: Mutex<Option<(Instant, Arc<CoreProviderMetadata>)>>,
    /// Held by the one who asks.
    asking: AsyncMutex<()>,
}

impl Provider {
    pub(crate) fn new(settings: Oidc, site: &Site) -> Result<Self, OidcError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())
            .map_err(|_| OidcError::Address("oidc.issuer"))?;
        let redirect = RedirectUrl::new(format!("{}/login/callback", site.origin()));
        let redirect = redirect.map_err(|_| OidcError::Address("url"))?;
        let http = Messenger::new(REQUEST, settings.ca_file.as_deref())?;
        Ok(Self {
            settings,
            issuer,
            redirect,
            http,
            known: Mutex::default(),
            asking: AsyncMutex::default(),
        })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Begins a login.
    pub(crate) async fn begin(&self) -> Result<Begun, OidcError> {
        let client = self.client(self.metadata(FRESH).await?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        for scope in self.settings.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        Ok(Begun {
            url: url.to_string(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Ends a login: who is it?
    ///
    /// # Errors
    /// If the provider does not vouch for anybody, or the token is not for us and for this login.
    pub(crate) async fn end(
        &self,
        code: String,
        nonce: String,
        verifier: String,
    ) -> Result<String, OidcError> {
        timeout(LOGIN, self.identity(code, nonce, verifier)).await.map_err(|_| OidcError::Slow)?
    }

    async fn identity(
        &self,
        code: String,
        nonce: String,
        verifier: String,
    ) -> Result<String, OidcError> {
        let client = self.client(self.metadata(FRESH).await?);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| OidcError::Exchange(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let http = |request: HttpRequest| send(self.http.clone(), request);
        let tokens = exchange
            .request_async(&http)
            .await
            .map_err(|error| OidcError::Exchange(chain(&error)))?;
        let nonce = Nonce::new(nonce);
        match self.check(&client, &tokens, &nonce) {
            // Its keys may be new.
            Err(OidcError::Token(_)) => {
                self.check(&self.client(self.metadata(AGAIN).await?), &tokens, &nonce)
            }
            checked => checked,
        }
    }

    fn check(
        &self,
        client: &Ours,
        tokens: &StandardTokenResponse<Fields, CoreTokenType>,
        nonce: &Nonce,
    ) -> Result<String, OidcError> {
        let invalid = |error: &dyn std::error::Error| OidcError::Token(chain(error));
        let token =
            tokens.id_token().ok_or_else(|| OidcError::Token("there is none".to_owned()))?;
        let verifier = client.id_token_verifier();
        let claims = token.claims(&verifier, nonce).map_err(|error| invalid(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| invalid(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| invalid(&error))?;
            let own = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if own.map_err(|error| invalid(&error))? != *expected {
                return Err(OidcError::Token("it is of another access token".to_owned()));
            }
        }
        self.claim(claims).ok_or_else(|| OidcError::Claim(self.settings.claim.clone()))
    }

    /// The claim that is the identity. An address of e-mail counts only if the provider has verified it.
    fn claim(&self, claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>) -> Option<String> {
        match self.settings.claim.as_str() {
            "sub" => Some(claims.subject().to_string()),
            "preferred_username" => claims.preferred_username().map(|name| name.to_string()),
            "email" => claims
                .email()
                .filter(|_| claims.email_verified() == Some(true))
                .map(|email| email.to_string()),
            other => claims.additional_claims().all.get(other)?.as_str().map(str::to_owned),
        }
    }

    fn client(&self, metadata: Arc<CoreProviderMetadata>) -> Ours {
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.text().to_owned()));
        let client = Ours::from_provider_metadata(Arc::unwrap_or_clone(metadata), id, secret);
        client.set_redirect_uri(self.redirect.clone())
    }

    /// What the provider says of itself, not older than this unless it does not answer now.
    async fn metadata(&self, fresh: Duration) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_fresh = |known: &(Instant, Arc<CoreProviderMetadata>)| known.0.elapsed() < fresh;
        if let Some((_, metadata)) = known().filter(is_fresh) {
            return Ok(metadata);
        }
        let _asking = self.asking.lock().await;
        if let Some((_, metadata)) = known().filter(is_fresh) {
            return Ok(metadata);
        }
        let http = |request: HttpRequest| send(self.http.clone(), request);
        let asked =
            timeout(LOGIN, CoreProviderMetadata::discover_async(self.issuer.clone(), &http)).await;
        match asked {
            Ok(Ok(metadata)) => {
                let metadata = Arc::new(metadata);
                let new = (Instant::now(), Arc::clone(&metadata));
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
                Ok(metadata)
            }
            failed => match (known(), failed) {
                (Some((_, metadata)), _) => Ok(metadata),
                (None, Ok(Err(error))) => Err(OidcError::Discovery(chain(&error))),
                (None, _) => Err(OidcError::Slow),
            },
        }
    }
}

async fn send(http: Messenger, request: HttpRequest) -> Result<HttpResponse, OidcError> {
    let sent = tokio::task::spawn_blocking(move || http.send(request, MAX_ANSWER)).await;
    Ok(sent.map_err(|_| OidcError::Task)??)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += ": ";
        text += &cause.to_string();
        source = cause.source();
    }
    text
}
