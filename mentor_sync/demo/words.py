"""The words that invented people are made of. No name here stands for anybody."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple


class Name(NamedTuple):
    """A name as it is written, and its letters a to z."""

    written: str
    plain: str


class Region(NamedTuple):
    """Where people come from: how the country is spelt, its cities, the names given there."""

    countries: tuple[str, ...]
    cities: tuple[str, ...]
    given: tuple[Name, ...]
    family: tuple[Name, ...]
    family_first: bool = False


class Field(NamedTuple):
    """A field of work."""

    industry: str
    areas: tuple[str, ...]
    occupations: tuple[str, ...]
    skills: tuple[str, ...]


def _names(words: str) -> tuple[Name, ...]:
    """`Zoë 美咲/misaki`: the letters follow where they cannot be told; _ is a space."""
    return tuple(_name(*word.replace("_", " ").split("/")) for word in words.split())


def _name(written: str, plain: str = "") -> Name:
    letters = plain or unicodedata.normalize("NFKD", written)
    return Name(written, "".join(c for c in letters.lower() if c.isascii() and c.isalpha()))


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


REGIONS = (
    Region(
        ("Nigeria", "nigeria"),
        ("Lagos", "Abuja", "Ibadan", "Enugu"),
        _names("Amara Chinedu Ngozi Tunde Folasade Emeka Yetunde Ọláìtán Segun Adaeze"),
        _names("Okafor Adéyemí Balogun Eze Okonkwo Ogunleye Nwosu Bello Afọlábí Uche"),
    ),
    Region(
        ("Ghana",),
        ("Accra", "Kumasi", "Tamale"),
        _names("Kwame Akosua Kofi Ama Yaw Abena Kojo Efua"),
        _names("Mensah Owusu Boateng Asante Osei Agyeman Appiah Darko"),
    ),
    Region(
        ("Kenya", "KENYA"),
        ("Nairobi", "Mombasa", "Kisumu", "Eldoret"),
        _names("Wanjiku Otieno Achieng Kamau Njeri Kiprono Wambui Barasa"),
        _names("Mwangi Odhiambo Kimani Chebet Njoroge Wafula Ndung'u Mutua"),
    ),
    Region(
        ("Ethiopia", "ኢትዮጵያ"),
        ("Addis Ababa", "Bahir Dar", "Hawassa"),
        _names("ሰላም/selam ዳዊት/dawit ትዕግስት/tigist ሐና/hanna ዮናስ/yonas"),
        _names("ተስፋዬ/tesfaye በቀለ/bekele ከበደ/kebede ኃይሌ/haile"),
    ),
    Region(
        ("Egypt", "مصر"),
        ("Cairo", "Alexandria", "Giza"),
        _names("فاطمة/fatima أحمد/ahmed ليلى/layla يوسف/youssef مريم/mariam خالد/khaled"),
        _names("حسن/hassan السيد/elsayed منصور/mansour عبدالله/abdallah فاروق/farouk"),
    ),
    Region(
        ("India", "Bharat"),
        ("Bengaluru", "Pune", "Delhi", "Chennai"),
        _names("प्रिया/priya अर्जुन/arjun अनन्या/ananya रोहन/rohan मीरा/meera विक्रम/vikram"),
        _names("शर्मा/sharma पटेल/patel वर्मा/verma गुप्ता/gupta नायर/nair"),
    ),
    Region(
        ("China", "中国"),
        ("Shanghai", "Chengdu", "Shenzhen"),
        _names("伟/wei 芳/fang 秀英/xiuying 敏/min 静/jing 浩然/haoran"),
        _names("王/wang 李/li 张/zhang 刘/liu 陈/chen 赵/zhao"),
        family_first=True,
    ),
    Region(
        ("Japan", "日本"),
        ("Tokyo", "Osaka", "Fukuoka"),
        _names("美咲/misaki 翔太/shota 陽菜/hina 健一/kenichi さくら/sakura"),
        _names("佐藤/sato 鈴木/suzuki 高橋/takahashi 渡辺/watanabe 山本/yamamoto"),
        family_first=True,
    ),
    Region(
        ("South Korea", "Korea, Republic of"),
        ("Seoul", "Busan", "Daegu"),
        _names("민준/minjun 서연/seoyeon 지우/jiwoo 하은/haeun 도윤/doyun"),
        _names("김/kim 이/lee 박/park 최/choi 정/jung"),
        family_first=True,
    ),
    Region(
        ("Vietnam", "Việt Nam"),
        ("Hà Nội", "Đà Nẵng", "Hồ Chí Minh City"),
        _names("Anh Minh Thảo Hương Quân Phương Tuấn"),
        _names("Nguyễn Trần Lê Phạm Đỗ/do Đặng/dang"),
        family_first=True,
    ),
    Region(
        ("Poland", "Polska"),
        ("Kraków", "Łódź", "Warszawa"),
        _names("Łukasz/lukasz Małgorzata/malgorzata Agnieszka Paweł/pawel Zofia Jan"),
        _names("Wójcik Kowalczyk Łuczak/luczak Żak Sikora Kaźmierczak"),
    ),
    Region(
        ("Germany", "Deutschland", "germany "),
        ("Berlin", "Köln", "München", "Leipzig"),
        _names("Jürgen Käthe Björn Anneliese Sören Lena Mehmet"),
        _names("Müller Weiß/weiss Schröder Krüger Vogel Brandt Günther"),
    ),
    Region(
        ("France",),
        ("Lyon", "Paris", "Saint-Étienne"),
        _names("Zoë Éloïse François Chloé Théo Inès Jean-Noël"),
        _names("Lefèvre Béranger L'Hermitte Garçon Rousseau Maël"),
    ),
    Region(
        ("Brazil", "Brasil"),
        ("São Paulo", "Recife", "Belém"),
        _names("João Conceição Thaís Luís Bruna Antônio"),
        _names("Gonçalves Araújo Magalhães Assunção Sant'Ana Moura"),
    ),
    Region(
        ("Mexico", "México"),
        ("Ciudad de México", "Mérida", "León"),
        _names("José Sofía Ximena Raúl Íñigo Lucía"),
        _names("Núñez Peña Hernández de_la_Cruz Ibáñez Ríos"),
    ),
    Region(
        ("Greece", "Ελλάδα"),
        ("Athens", "Thessaloniki"),
        _names("Ελένη/eleni Γιώργος/giorgos Κατερίνα/katerina Νίκος/nikos"),
        _names("Νικολάου/nikolaou Δημητρίου/dimitriou Γεωργίου/georgiou Ιωάννου/ioannou"),
    ),
    Region(
        ("Ukraine", "Україна"),
        ("Kyiv", "Lviv", "Odesa"),
        _names("Олена/olena Тарас/taras Оксана/oksana Андрій/andrii Ірина/iryna"),
        _names("Шевченко/shevchenko Коваленко/kovalenko Бондаренко/bondarenko Мороз/moroz"),
    ),
    Region(
        ("Türkiye", "Turkey"),
        ("İstanbul", "Ankara", "İzmir"),
        _names("İbrahim Ayşe Çağla Işıl/isil Ömer Zeynep"),
        _names("Yılmaz/yilmaz Şahin Öztürk Çelik Doğan"),
    ),
    Region(
        ("United States", "USA", "U.S.A.", "usa"),
        ("New York", "Atlanta", "Houston", "Chicago"),
        _names("Grace James Olivia Noah Imani Tyrone Rosa Walter"),
        _names("Washington Carter Brooks Smith-Jones Fitzgerald Reyes Lindqvist"),
    ),
    Region(
        ("Ireland", "Éire"),
        ("Dublin", "Galway", "Cork"),
        _names("Siobhán Aisling Pádraig Conor Máire Oisín"),
        _names("O'Neill Byrne Mac_Giolla Ó_Briain Doyle"),
    ),
)

FIELDS = (
    Field(
        "Technology",
        _words("Software Engineering, Data Science, Cybersecurity, Cloud Infrastructure"),
        _words("Software Engineer, Data Analyst, Security Engineer, Systems Administrator"),
        _words(
            "Python, Django, JavaScript, SQL, React, Kubernetes, Testing, C++, Machine Learning"
        ),
    ),
    Field(
        "Healthcare",
        _words("Public Health, Nursing, Medical Research"),
        _words("Nurse, Physician, Epidemiologist, Pharmacist"),
        _words("Patient care, Biostatistics, Triage, Health policy, Clinical trials"),
    ),
    Field(
        "Finance",
        _words("Corporate Finance, Accounting, Microfinance"),
        _words("Accountant, Auditor, Financial Analyst, Loan Officer"),
        _words("Excel, Forecasting, Risk, IFRS, Budgeting, Valuation"),
    ),
    Field(
        "Education",
        _words("Teaching, Curriculum Design, Early Childhood"),
        _words("Teacher, Lecturer, School Principal, Tutor"),
        _words("Lesson planning, Assessment, Public speaking, Coaching, Phonics"),
    ),
    Field(
        "Agriculture",
        _words("Agronomy, Agribusiness, Irrigation"),
        _words("Agronomist, Farm Manager, Extension Officer"),
        _words("Soil science, Drip irrigation, Cooperatives, Supply chains, Bookkeeping"),
    ),
    Field(
        "Law",
        _words("Human Rights Law, Commercial Law"),
        _words("Lawyer, Paralegal, Legal Adviser"),
        _words("Contracts, Negotiation, Arbitration, Legal writing, Advocacy"),
    ),
    Field(
        "Media",
        _words("Journalism, Graphic Design, Film"),
        _words("Journalist, Designer, Editor, Producer"),
        _words("Writing, Figma, Photography, Storytelling, Editing, Typography"),
    ),
    Field(
        "Energy",
        _words("Renewable Energy, Electrical Engineering"),
        _words("Electrical Engineer, Solar Technician, Project Manager"),
        _words("Solar design, Grid planning, AutoCAD, HSE, Procurement"),
    ),
    Field(
        "Non-profit",
        _words("Community Development, Fundraising, Programme Management"),
        _words("Programme Officer, Grant Writer, Social Worker"),
        _words("Grant writing, Monitoring & evaluation, Facilitation, Volunteering, Budgeting"),
    ),
)

HOPES = (
    "I would like to learn how a {occupation} works.",
    "I want to find my way into {area}, and know nobody there.",
    "How did you become a {occupation}?",
    "My first year in {area}; somebody to ask would help.",
)
RANKS = ("Senior ", "Lead ", "Principal ", "Junior ", "Assistant ", "Deputy ", "")
EXPERIENCE = (
    *("5+ years", "10 years", "3 yrs", "15+ years", "2-3 years", "over 20 years", "12"),
    *("8 years in two countries", "since 2009", "7 Years", "entry level"),
)
SCHOOLS = (
    *("Baobab University", "Northgate College", "Harbour Institute of Technology"),
    *("Riverside Polytechnic", "Universidad del Faro", "École du Vieux Pont", "Lakeview School"),
)
# Set aside for examples by RFC 2606 and RFC 6761: nobody can ever have an address there.
DOMAINS = (
    *("example.com",) * 6,
    *("example.org",) * 3,
    *("example.net",) * 2,
    *("mail.example", "post.example", "alumni.example", "university.example"),
)
