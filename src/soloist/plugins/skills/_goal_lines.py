"""Lines of tasks for goals, by language and figure: what anybody who works alone has to do for such a goal."""

from __future__ import annotations

from collections.abc import Mapping

LINES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "paid": (
            "List every invoice that is open and who owes it",
            "Remind those whose invoices are overdue",
            "Invoice what is done and not invoiced yet",
            "Look at what came in and what is missing to the goal",
        ),
        "invoiced": (
            "List projects with work that is done and not invoiced",
            "Write those invoices",
            "Follow up on offers nobody has answered",
            "Look at what is invoiced and what is missing to the goal",
        ),
        "new clients": (
            "Answer every open enquiry",
            "Follow up on offers nobody has answered",
            "Ask three clients whether they know somebody",
            "Publish one piece of work that shows what you do",
            "Look at who came and what is missing to the goal",
        ),
        "published": (
            "Choose the ideas that are worth publishing",
            "Write the first draft",
            "Finish the drafts and mark them as ready",
            "Publish, and note where",
        ),
        "by hand": (
            "Write down how you will know that it is reached",
            "Name the first step and do it",
            "Look at half time at what is missing",
            "Finish it, or say that it is dropped",
        ),
    },
    "de": {
        "paid": (
            "Alle offenen Rechnungen mit Schuldner auflisten",
            "An überfällige Rechnungen erinnern",
            "Erledigtes, das noch nicht berechnet ist, in Rechnung stellen",
            "Ansehen, was eingegangen ist und was zum Ziel fehlt",
        ),
        "invoiced": (
            "Projekte mit erledigter, nicht berechneter Arbeit auflisten",
            "Diese Rechnungen schreiben",
            "Bei unbeantworteten Angeboten nachfassen",
            "Ansehen, was berechnet ist und was zum Ziel fehlt",
        ),
        "new clients": (
            "Jede offene Anfrage beantworten",
            "Bei unbeantworteten Angeboten nachfassen",
            "Drei Kunden fragen, ob sie jemanden kennen",
            "Eine Arbeit veröffentlichen, die zeigt, was Sie tun",
            "Ansehen, wer gekommen ist und was zum Ziel fehlt",
        ),
        "published": (
            "Die Ideen auswählen, die es wert sind",
            "Den ersten Entwurf schreiben",
            "Die Entwürfe fertigstellen und als fertig markieren",
            "Veröffentlichen und festhalten, wo",
        ),
        "by hand": (
            "Aufschreiben, woran Sie merken, dass es erreicht ist",
            "Den ersten Schritt benennen und tun",
            "Zur Halbzeit ansehen, was fehlt",
            "Abschließen oder sagen, dass es verworfen ist",
        ),
    },
    "fr": {
        "paid": (
            "Lister les factures ouvertes et leurs débiteurs",
            "Relancer celles qui sont en retard",
            "Facturer ce qui est fait et pas encore facturé",
            "Regarder ce qui est arrivé et ce qui manque",
        ),
        "invoiced": (
            "Lister les projets dont le travail fait n'est pas facturé",
            "Écrire ces factures",
            "Relancer les devis sans réponse",
            "Regarder ce qui est facturé et ce qui manque",
        ),
        "new clients": (
            "Répondre à chaque demande ouverte",
            "Relancer les devis sans réponse",
            "Demander à trois clients s'ils connaissent quelqu'un",
            "Publier un travail qui montre ce que vous faites",
            "Regarder qui est venu et ce qui manque",
        ),
        "published": (
            "Choisir les idées qui en valent la peine",
            "Écrire le premier brouillon",
            "Finir les brouillons et les marquer comme prêts",
            "Publier et noter où",
        ),
        "by hand": (
            "Écrire à quoi vous verrez que c'est atteint",
            "Nommer le premier pas et le faire",
            "Regarder à mi-chemin ce qui manque",
            "Terminer, ou dire que c'est abandonné",
        ),
    },
    "es": {
        "paid": (
            "Hacer la lista de las facturas abiertas y quién las debe",
            "Recordar las que están vencidas",
            "Facturar lo hecho que aún no está facturado",
            "Mirar lo que ha entrado y lo que falta",
        ),
        "invoiced": (
            "Hacer la lista de proyectos con trabajo hecho y no facturado",
            "Escribir esas facturas",
            "Insistir en los presupuestos sin respuesta",
            "Mirar lo facturado y lo que falta",
        ),
        "new clients": (
            "Responder a cada consulta abierta",
            "Insistir en los presupuestos sin respuesta",
            "Preguntar a tres clientes si conocen a alguien",
            "Publicar un trabajo que muestre lo que hace",
            "Mirar quién ha venido y lo que falta",
        ),
        "published": (
            "Elegir las ideas que valen la pena",
            "Escribir el primer borrador",
            "Terminar los borradores y marcarlos como listos",
            "Publicar y anotar dónde",
        ),
        "by hand": (
            "Escribir cómo sabrá que está alcanzado",
            "Nombrar el primer paso y hacerlo",
            "Mirar a mitad de camino lo que falta",
            "Terminarlo, o decir que se abandona",
        ),
    },
}
