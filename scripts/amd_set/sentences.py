"""What people and machines say when they answer, by language.  {c} is a company, {p} a place in it.

Tuning and held-back recordings share the words everybody says (hello); of all longer lists tuning takes every second
sentence from the first, the held-back part every second from the second.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPANIES = (
    "Example Travel", "North Bridge Logistics", "Harbour Insurance", "City Clinic", "Green Valley Garden Centre",
    "Orion Software", "Riverside Hotel", "Baltic Shipping", "Sunrise Bakery", "Meridian Bank", "Oak Street Dental Care",
    "Alpha Windows and Doors",
)  # fmt: skip
PLACES = (
    "reception", "extension four one two", "accounts", "the front desk", "sales", "workshop", "station nine",
    "dispatch", "room twelve", "customer service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Language:
    """Sentences of one language."""

    hello: tuple[str, ...]
    named: tuple[str, ...]
    "A person says where one has got to."
    company: tuple[str, ...]
    "A person at work."
    wait: tuple[str, ...]
    "A person who asks for a moment."
    short: tuple[str, ...]
    "A machine of few words."
    machine: tuple[str, ...]
    "Each is a machine's greeting in pieces, with pauses between them."
    network: tuple[str, ...]
    "A voice of the network."
    company_parts: tuple[tuple[str, ...], ...] = ()
    "What a person at work may say one after another; for tuning."


ENGLISH = Language(
    hello=(
        "hello?",
        "hello",
        "hi",
        "yes?",
        "yeah?",
        "hello, yes?",
        "good morning",
        "good evening",
        "speaking",
        "yes, hello?",
        "hi there",
        "yep",
    ),
    named=(
        "{p}",
        "hello, {p}",
        "{p}, hello?",
        "yes, {p} here",
        "{p} speaking",
        "good morning, {p}",
        "this is {p}",
        "{p}, yes?",
    ),
    company=(
        "{c}, good morning",
        "{c}, how can I help you?",
        "{c}, {p}, good afternoon",
        "good morning, {c}, how may I help you?",
        "hello, {c}, {p} speaking",
        "thank you for calling {c}, how can I help?",
        "good afternoon, you're through to {c}, how can I help?",
        "{c}, {p}, what can I do for you?",
        "welcome to {c}, this is {p}, how may I direct your call?",
        "{c}, hello, {p} here",
    ),
    wait=(
        "hold on a second please",
        "just a moment",
        "sorry, one moment please",
        "hang on",
        "wait a minute",
        "yes, hello, one second",
    ),
    short=(
        "please leave a message",
        "leave a message after the tone",
        "leave your message",
        "record your message now",
        "not in, leave a message",
        "please speak after the beep",
        "you know what to do",
    ),
    machine=(
        "hi|you have reached {p}|I can't take your call right now|please leave a message after the tone",
        "hello, this is the answering machine of {c}|we are closed at the moment|our office hours are nine to five",
        "the person you are calling is not available|please leave a message after the tone",
        "your call has been forwarded to an automatic voice message system|at the tone please record your message",
        "hello|I'm not at home right now|leave your name and number and I will call you back",
        "you have reached the voicemail of {p} at {c}|please leave a message|thank you",
        "hi, sorry I missed your call|leave me a message and I'll get back to you as soon as I can",
        "welcome to the voicemail service|the subscriber cannot come to the phone|speak after the signal",
        "thank you for calling {c}|all our lines are busy|please call back later or leave a message after the beep",
        "this is {c}|nobody can take your call at present|you can reach us monday to friday from eight to six",
        "we can't come to the phone right now|leave a message and have a nice day",
        "the mobile you have called may be switched off|please try again later",
        "hey it's {p}|you know what to do|wait for the beep",
        "hello and welcome to {c}|for english press one|for sales press two|for all other questions please hold",
    ),
    network=(
        "the number you have dialled is not in service|please check the number and dial again",
        "we're sorry|your call cannot be completed as dialled",
        "the number you have called has been changed",
        "all circuits are busy now|please try your call again later",
        "the number you have called is not known",
        "this number is temporarily out of service",
    ),
    company_parts=(
        ("", "", "hello", "good morning", "good afternoon", "welcome to", "thank you for calling", "this is"),
        ("{c}",),
        ("", "", "{p}", "{p} speaking", "you're through to {p}"),
        ("", "", "good morning", "hello", "how can I help?", "what can I do for you today?", "can I help you?"),
    ),
)

GERMAN = Language(
    hello=("hallo?", "ja?", "ja, hallo?", "guten Tag", "hallo", "ja bitte?"),
    named=("Empfang", "Zimmer zwölf, hallo?", "ja, Werkstatt", "Apparat neun, guten Tag"),
    company=(
        "Firma Nordlicht, guten Tag",
        "Hotel am Fluss, was kann ich für Sie tun?",
        "guten Morgen, Praxis am Markt, Empfang",
        "Bäckerei Sonne, hallo, was darf es sein?",
    ),
    wait=("einen Moment bitte", "Moment", "ja, Sekunde bitte"),
    short=("bitte sprechen Sie nach dem Ton", "Nachricht nach dem Signal bitte"),
    machine=(
        "guten Tag|hier ist der Anrufbeantworter|wir sind zur Zeit nicht da|bitte hinterlassen Sie eine Nachricht",
        "der gewünschte Gesprächspartner ist zur Zeit nicht erreichbar|hinterlassen Sie eine Nachricht nach dem Ton",
        "hallo|wir sind gerade nicht zu Hause|sprechen Sie nach dem Piepton",
        "Sie haben die Praxis am Markt erreicht|unsere Sprechzeiten sind montags bis freitags von acht bis zwölf",
    ),
    network=(
        "kein Anschluss unter dieser Nummer",
        "diese Rufnummer ist nicht vergeben|bitte rufen Sie die Auskunft an",
    ),
)

FRENCH = Language(
    hello=("allô?", "oui?", "oui, allô?", "bonjour", "allô oui"),
    named=("accueil bonjour", "chambre douze, allô?", "oui, atelier", "poste quatre, bonjour"),
    company=(
        "société Horizon, bonjour",
        "hôtel de la gare, que puis-je faire pour vous?",
        "cabinet du parc, accueil, bonjour",
        "bonjour, banque du sud, je vous écoute",
    ),
    wait=("un instant s'il vous plaît", "attendez", "une seconde"),
    short=("laissez un message", "parlez après le bip"),
    machine=(
        "bonjour|vous êtes bien sur le répondeur|je ne suis pas disponible|laissez-moi un message après le bip",
        "votre correspondant n'est pas disponible|veuillez laisser un message après le signal sonore",
        "bonjour|nos bureaux sont fermés|nous sommes ouverts du lundi au vendredi de neuf heures à midi",
        "bienvenue sur la messagerie|merci de laisser vos coordonnées|nous vous rappellerons",
    ),
    network=("le numéro que vous avez demandé n'est pas attribué", "votre appel ne peut aboutir|veuillez rappeler"),
)

SPANISH = Language(
    hello=("¿diga?", "¿sí?", "hola", "¿dígame?", "sí, ¿hola?", "bueno"),
    named=("recepción", "habitación doce, ¿diga?", "sí, taller", "ventas, hola"),
    company=(
        "hotel del río, buenos días",
        "clínica central, ¿en qué puedo ayudarle?",
        "buenas tardes, banco del norte, dígame",
        "viajes mundo, recepción, buenos días",
    ),
    wait=("un momento por favor", "espere", "un segundo"),
    short=("deje un mensaje", "hable después de la señal"),
    machine=(
        "hola|ahora no puedo atenderle|por favor deje un mensaje después de la señal",
        "el teléfono al que llama está apagado o fuera de cobertura|inténtelo más tarde",
        "ha llamado a la clínica central|nuestro horario es de lunes a viernes de nueve a dos|gracias",
        "este es el buzón de voz|grabe su mensaje después de oír la señal",
    ),
    network=("el número marcado no existe", "no es posible completar su llamada|verifique el número"),
)

ITALIAN = Language(
    hello=("pronto?", "sì?", "pronto, chi parla?", "buongiorno"),
    named=("reception", "camera dodici, pronto?", "sì, officina", "vendite, buongiorno"),
    company=(
        "albergo del lago, buongiorno",
        "studio centrale, come posso aiutarla?",
        "buonasera, banca del nord, mi dica",
        "viaggi mondo, reception, buongiorno",
    ),
    wait=("un attimo per favore", "aspetti", "un secondo"),
    short=("lasciate un messaggio", "parlate dopo il segnale"),
    machine=(
        "salve|in questo momento non posso rispondere|lasciate un messaggio dopo il segnale acustico",
        "il cliente da lei chiamato non è al momento raggiungibile|la preghiamo di richiamare più tardi",
        "avete chiamato lo studio centrale|siamo aperti dal lunedì al venerdì dalle nove alle tredici",
        "segreteria telefonica|lasciate nome e numero|vi richiameremo al più presto",
    ),
    network=("il numero selezionato è inesistente", "attenzione|il numero chiamato non è attivo"),
)

DUTCH = Language(
    hello=("hallo?", "ja?", "ja hallo?", "goedemorgen"),
    named=("receptie", "kamer twaalf, hallo?", "ja, werkplaats", "verkoop, goedemiddag"),
    company=(
        "hotel aan het water, goedemorgen",
        "praktijk centrum, waarmee kan ik u helpen?",
        "goedemiddag, bank noord, met de receptie",
        "bakkerij zon, hallo, zegt u het maar",
    ),
    wait=("een ogenblik alstublieft", "wacht even", "momentje"),
    short=("spreek na de toon", "laat een bericht achter"),
    machine=(
        "hallo|ik ben er even niet|spreek een bericht in na de toon",
        "de persoon die u belt is niet bereikbaar|probeer het later nog eens",
        "u bent verbonden met de praktijk|wij zijn gesloten|onze openingstijden zijn van negen tot vijf",
        "dit is de voicemail van de receptie|laat uw naam en nummer achter|dan bellen wij u terug",
    ),
    network=("dit nummer is niet in gebruik", "het door u gekozen nummer is niet aangesloten"),
)

LANGUAGES: dict[str, Language] = {
    "en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "it": ITALIAN, "nl": DUTCH,
}  # fmt: skip


def part(sentences: tuple[str, ...], held_back: bool) -> tuple[str, ...]:
    """Those of one split: every second one."""
    return sentences[held_back::2]
